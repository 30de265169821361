import { StartupError } from '@orchestrator/server'
import { expect, it } from 'vitest'

import { readConfig } from '../../src/config.ts'

it('has the seed’s defaults', () => {
  expect(readConfig({})).toEqual({
    database_url: 'sqlite:///./data/orchestrator.db',
    agent_hub_url: 'http://localhost:8001',
    agent_hub_token: undefined,
    host: '127.0.0.1',
    port: 8000,
    allowed_hosts: [],
    trust_proxy: false,
    agents: {},
    models: {},
    phase_execution: 'hub',
    max_concurrent_phases: 4,
    phase_timeout_seconds: 3600,
    phase_retry_limit: 10,
    phase_retry_base_ms: 500,
    max_reworks: 5,
    event_retention_days: 90,
    max_event_streams: 10_000,
    max_event_streams_per_key: 100,
    requests_per_minute: 6000,
    four_eyes: 'auto',
    audit_dir: './data/orchestrator.db.audit',
    log_level: 'info',
  })
})

it('takes an empty variable for none', () => {
  expect(readConfig({ PORT: '', AGENT_HUB_TOKEN: '', AGENT_NAME: '' })).toEqual(readConfig({}))
})

it.each([
  ['DATABASE_URL', 'sqlite:////var/lib/o.db', { database_url: 'sqlite:////var/lib/o.db' }],
  ['DATABASE_URL', 'sqlite:///:memory:', { database_url: 'sqlite:///:memory:' }],
  ['AGENT_HUB_URL', 'https://hub.example/base/', { agent_hub_url: 'https://hub.example/base' }],
  ['AGENT_HUB_TOKEN', '0123456789abcdef', { agent_hub_token: '0123456789abcdef' }],
  ['HOST', '0.0.0.0', { host: '0.0.0.0' }],
  ['PORT', '0', { port: 0 }],
  ['PORT', '65535', { port: 65_535 }],
  ['ALLOWED_HOSTS', 'a.example, b.example:81 ,', { allowed_hosts: ['a.example', 'b.example:81'] }],
  ['TRUST_PROXY', 'on', { trust_proxy: true }],
  ['PHASE_EXECUTION', 'external', { phase_execution: 'external' }],
  ['MAX_CONCURRENT_PHASES', '1', { max_concurrent_phases: 1 }],
  ['PHASE_TIMEOUT_SECONDS', '1', { phase_timeout_seconds: 1 }],
  ['PHASE_RETRY_LIMIT', '1', { phase_retry_limit: 1 }],
  ['PHASE_RETRY_BASE_MS', '1', { phase_retry_base_ms: 1 }],
  ['MAX_REWORKS', '0', { max_reworks: 0 }],
  ['AUDIT_DIR', '/var/audit', { audit_dir: '/var/audit' }],
  ['DATABASE_URL', 'sqlite:////var/o.db', { audit_dir: '/var/o.db.audit' }],
  ['DATABASE_URL', 'sqlite:///:memory:', { audit_dir: undefined }],
  ['DATABASE_URL', 'postgres://localhost/o', { audit_dir: undefined }],
  ['LOG_LEVEL', 'debug', { log_level: 'debug' }],
])('takes %s=%s', (name, value, expected) => {
  expect(readConfig({ [name]: value })).toMatchObject(expected)
})

it('names agents for all types, and for one', () => {
  expect(readConfig({ AGENT_NAME: 'claude', AGENT_NAME_PLAN: 'codex' }).agents).toEqual({
    specify: 'claude',
    plan: 'codex',
    tasks: 'claude',
    implement: 'claude',
  })
  expect(readConfig({ AGENT_NAME_IMPLEMENT: 'gemini' }).agents).toEqual({ implement: 'gemini' })
})

it('names models for all types, and for one', () => {
  expect(readConfig({ AGENT_MODEL: 'small', AGENT_MODEL_PLAN: 'maker/large[high]' }).models).toEqual({
    specify: 'small',
    plan: 'maker/large[high]',
    tasks: 'small',
    implement: 'small',
  })
})

it.each([
  ['AGENT_HUB_URL', 'localhost:8001'],
  ['AGENT_HUB_URL', 'ftp://hub'],
  ['AGENT_HUB_TOKEN', 'short'],
  ['AGENT_HUB_TOKEN', 'a secret with blanks'],
  ['AGENT_HUB_TOKEN', 'a-secret-of-ümlauts'],
  ['AGENT_HUB_TOKEN', 'a-long-enough-secret '],
  ['PORT', 'abc'],
  ['PORT', '-1'],
  ['PORT', '65536'],
  ['PORT', '80.5'],
  ['PORT', '0x50'],
  ['TRUST_PROXY', 'maybe'],
  ['AGENT_NAME', '../claude'],
  ['AGENT_NAME_SPECIFY', '--help'],
  ['AGENT_NAME_PLAN', 'a b'],
  ['AGENT_NAME_TASKS', 'a/b'],
  ['AGENT_NAME_IMPLEMENT', '.'],
  ['AGENT_MODEL', '--yolo'],
  ['AGENT_MODEL_PLAN', 'x"}'],
  ['PHASE_EXECUTION', 'both'],
  ['MAX_CONCURRENT_PHASES', '0'],
  ['PHASE_TIMEOUT_SECONDS', '0'],
  ['PHASE_TIMEOUT_SECONDS', '604801'],
  ['PHASE_RETRY_LIMIT', '0'],
  ['PHASE_RETRY_BASE_MS', '0'],
  ['MAX_REWORKS', '-1'],
  ['MAX_REWORKS', '1e3'],
  ['LOG_LEVEL', 'loud'],
  ['DATABASE_URL', 'mysql://localhost/orchestrator'],
  ['DATABASE_URL', 'orchestrator.db'],
  ['DATABASE_URL', 'sqlite:///'],
])('refuses %s=%s in one line that names it', (name, value) => {
  const read = () => readConfig({ [name]: value })
  expect(read).toThrow(StartupError)
  expect(read).toThrow(new RegExp(`^${name} [^\\n]+$`))
})

it('does not repeat what may be a secret', () => {
  expect(() => readConfig({ AGENT_HUB_TOKEN: 'hunter2' })).not.toThrow('hunter2')
})
