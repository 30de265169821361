import { StartupError } from '@orchestrator/server'
import { describe, expect, it } from 'vitest'

import { readConfig } from '../../src/config.ts'

describe('the hub’s configuration', () => {
  it('has defaults that need nothing', () => {
    expect(readConfig({}, '/srv')).toEqual({
      host: '127.0.0.1',
      port: 8001,
      database_path: '/srv/data/agent-hub.db',
      data_dir: '/srv/data',
      sandbox: 'auto',
      max_running: 8,
      memory_mb: undefined,
      ask_confidence: 70,
      workspace: undefined,
      workspaces_file: undefined,
      remotes: { allow_private: false, credential_helper: undefined, proxy: {} },
      agents_file: undefined,
      verify_command: undefined,
      verify_timeout_seconds: 600,
      default_agent: undefined,
      token: undefined,
      log_level: 'info',
      allowed_hosts: [],
      trust_proxy: false,
    })
  })

  it('takes what it is told', () => {
    const config = readConfig(
      {
        HUB_HOST: '0.0.0.0',
        AGENT_HUB_TOKEN: 'a-long-enough-secret',
        HUB_PORT: '0',
        HUB_DATABASE_URL: 'sqlite:////var/hub.db',
        WORKSPACE: 'shop',
        ALLOWED_HOSTS: 'hub.local, other',
      },
      '/srv',
    )
    expect(config).toMatchObject({
      host: '0.0.0.0',
      port: 0,
      database_path: '/var/hub.db',
      workspace: '/srv/shop',
      allowed_hosts: ['hub.local', 'other'],
    })
    expect(readConfig({ HUB_DATABASE_URL: 'sqlite:///:memory:' }, '/srv').database_path).toBe(':memory:')
  })

  it.each([
    ['HUB_PORT', 'abc'],
    ['HUB_PORT', '70000'],
    ['HUB_DATABASE_URL', 'mysql://x'],
    ['HUB_SANDBOX', 'maybe'],
    ['HUB_MAX_RUNNING', '0'],
    ['LOG_LEVEL', 'loud'],
    ['AGENT_NAME', '../x'],
    ['AGENT_HUB_TOKEN', 'short'],
    ['AGENT_HUB_TOKEN', 'a secret with blanks'],
    ['AGENT_HUB_TOKEN', 'a-secret-of-ümlauts'],
    ['AGENT_HUB_TOKEN', 'a-long-enough-secret '],
    ['TRUST_PROXY', 'perhaps'],
  ])('refuses %s=%s in one line', (name, value) => {
    const read = () => readConfig({ [name]: value }, '/srv')
    expect(read).toThrow(StartupError)
    expect(read).toThrow(new RegExp(`^${name}[^\\n]*$`))
  })

  it.each(['0.0.0.0', '192.168.1.7', '::', 'hub.local'])('refuses to be reached at %s without a token', (HUB_HOST) => {
    expect(() => readConfig({ HUB_HOST }, '/srv')).toThrow(/set AGENT_HUB_TOKEN/)
  })

  it.each(['127.0.0.1', 'localhost', '::1'])('needs no token at %s', (HUB_HOST) => {
    expect(readConfig({ HUB_HOST }, '/srv').token).toBeUndefined()
  })
})
