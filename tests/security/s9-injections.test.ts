import type { ChildProcess } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { createLogger } from '@orchestrator/server'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { stub_path } from '../../services/agent-hub/tests/acp-fixture.ts'
import { startHub } from '../../services/agent-hub/src/app.ts'
import { readConfig } from '../../services/agent-hub/src/config.ts'
import { makeRepository, userGit } from '../../services/agent-hub/tests/git-fixture.ts'
import { specify, STUB } from '../../services/agent-hub/tests/hub-process.ts'
import { startService, type Service } from '../../services/orchestrator/tests/service.ts'
import { injections } from './injections.ts'
import { onEach } from './wide-service.ts'

/** Programs that the services start: git, the agent (whose launcher is a script of this test), our Node. */
const STARTED = new Set(['git', STUB, basename(process.execPath)])

let folder: string
let canaries: string
let repository: string
let hub: Awaited<ReturnType<typeof startHub>>
let service: Service
let payloads: string[]
/** Every process that the services started, both being within this one. */
const processes: ChildProcess[] = []
const watch = (message: unknown) => void processes.push((message as { process: ChildProcess }).process)
const started = () =>
  processes.map(({ spawnfile, spawnargs }) => ({ program: basename(spawnfile), args: spawnargs.slice(1) }))
const checkout = process.cwd()
const { PATH: path, GEMINI_API_KEY: key } = process.env

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'injections-'))
  canaries = join(folder, 'canaries')
  mkdirSync(canaries)
  payloads = injections((name) => join(canaries, name))
  repository = makeRepository(join(folder, 'shop'))
  const bin = join(folder, 'bin')
  mkdirSync(bin)
  writeFileSync(join(bin, STUB), `#!/bin/sh\nexec "${process.execPath}" "${stub_path}"\n`, { mode: 0o755 })
  process.env['PATH'] = `${bin}:${path}`
  process.env['GEMINI_API_KEY'] = 'no-model-takes-it'
  // The real agent of that name may be in ./data/agents of this checkout, which counts before PATH.
  process.chdir(folder)
  const env = {
    HUB_PORT: '0',
    HUB_DATA_DIR: folder,
    HUB_DATABASE_URL: `sqlite:///${folder}/hub.db`,
    HUB_SANDBOX: 'off',
    HUB_MEMORY_MB: '100000',
    WORKSPACE: repository,
    AGENT_NAME: STUB,
  }
  hub = await startHub(readConfig(env, folder), createLogger({ name: 'agent-hub', level: 'silent' }), () => {})
  service = await startService({ hub: hub.url })
  subscribe('child_process', watch)
})
afterAll(async () => {
  unsubscribe('child_process', watch)
  process.chdir(checkout)
  Object.assign(process.env, { PATH: path, GEMINI_API_KEY: key ?? '' })
  await service.close()
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

const ask = async (
  url: string,
  method: string,
  target: string,
  body?: object,
  headers: Record<string, string> = {},
) => {
  const type: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' }
  const answer = await fetch(url + target, {
    method,
    headers: { ...type, ...headers },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, text: await answer.text() }
}

const expectNothingRan = () => {
  expect(readdirSync(canaries)).toEqual([])
  expect([...new Set(started().map(({ program }) => program))].filter((program) => !STARTED.has(program))).toEqual([])
  // A text of somebody's may be an argument, but never one that git would take for an option.
  const options = started()
    .flatMap(({ args }) => args)
    .filter(
      (arg) =>
        arg.startsWith('-') && payloads.includes(arg) && arg !== '--' && arg !== '-' && arg !== '--end-of-options',
    )
  expect(options).toEqual([])
  const database = new DatabaseSync(join(service.folder, 'orchestrator.db'), { readOnly: true })
  expect(database.prepare('select count(*) as count from workflows').get()?.['count']).toBeGreaterThan(0)
  database.close()
}

describe('a text that is a command', () => {
  it('is a text to every route of both services', async () => {
    const id = (await service.create({ feature_description: 'People can log in with a password' })).id
    const answers = await onEach(payloads, async (payload) => {
      const encoded = encodeURIComponent(payload)
      const context = { ...specify().context, additional_context: { [payload]: payload } }
      const sent = [
        ask(service.url, 'GET', `/workflows?q=${encoded}`),
        ask(service.url, 'GET', `/workflows?cursor=${encoded}`),
        ask(service.url, 'GET', `/features/${encoded}`),
        ask(service.url, 'GET', `/artifacts/${encoded}`),
        ask(service.url, 'POST', '/workflows', {
          workflow_type: 'specify',
          feature_description: 'Whatever it may be',
          feature_id: payload,
        }),
        ask(service.url, 'POST', '/workflows', {
          workflow_type: 'specify',
          feature_description: 'Whatever it may be',
          workspace: payload,
        }),
        ask(service.url, 'POST', '/workflows', {
          workflow_type: 'specify',
          feature_description: 'Whatever it may be',
          agent: payload,
        }),
        ask(service.url, 'POST', `/workflows/${id}/advance`, {
          trigger: 'error',
          phase_result: { error: payload, [payload]: payload },
        }),
        ask(service.url, 'POST', '/keys', { name: payload, role: 'viewer' }),
        ask(hub.url, 'GET', `/workspaces/${encoded}`),
        ask(hub.url, 'GET', `/artifacts/${encoded}`),
        ask(hub.url, 'POST', `/invoke/${encoded}`, specify()),
        ask(hub.url, 'POST', '/invoke/demo', { ...specify(), context: { ...context, feature_id: payload } }),
        ask(hub.url, 'POST', '/invoke/demo', specify([], { parameters: { workspace: payload } })),
        ask(hub.url, 'POST', `/ask/${encoded}`, { question: payload, feature_id: payload }),
        ask(hub.url, 'POST', '/sessions', { feature_id: payload }),
      ]
      return { payload, statuses: (await Promise.all(sent)).map(({ status }) => status) }
    })
    expect(answers.filter(({ statuses }) => statuses.some((status) => status >= 500))).toEqual([])
    expectNothingRan()
  })

  it('is a text in the words of a person, through agent, files, commits and review', async () => {
    // All of them in one workflow: each string that goes from end to end.
    const all = payloads.join(' and ')
    const created = await service.create({
      feature_description: `People can log in ${all}`,
      context: Object.fromEntries(payloads.map((payload, index) => [`${index} ${payload}`, payload])),
    })
    await service.until(created.id, 'waiting_approval')
    const comments = payloads.map((payload) => ({
      path: `specs/${payload}`.slice(0, 900),
      quote: payload,
      text: payload,
    }))
    const rework = await service.advance(created.id, 'human_rejected', { comments })
    expect(rework.status).toBe(200)
    await service.until(created.id, 'waiting_approval')
    expect((await service.advance(created.id, 'human_approved', { note: all })).status).toBe(200)
    await service.until(created.id, 'waiting_approval')
    await service.request('POST', `/workflows/${created.id}/cancel`, { reason: all.slice(0, 1_900) })
    expect(userGit(repository, 'log', '-1', '--format=%s', created.feature_id)).toContain(created.feature_id)
    expectNothingRan()
  })

  it('is a text in what an agent writes: names of files, results, messages', async () => {
    const names = payloads
      .map((payload) =>
        payload
          .replaceAll(/[\r\n]/g, '_')
          .replaceAll('/', '∕')
          .slice(0, 200),
      )
      .filter((name) => !/^(\s|-?$)/.test(name))
    const said = names.flatMap((name) => [
      `say ${name}`,
      `write specs/030-names/${name.replaceAll(' ', '\u00a0')} text`,
    ])
    const answer = await ask(hub.url, 'POST', `/invoke/${STUB}`, specify(said, { feature_id: '030-names' }))
    expect(answer.status).toBe(200)
    const listed = userGit(repository, 'ls-tree', '-r', '-z', '--name-only', '030-names').split('\0')
    expect(listed.length).toBeGreaterThan(40)
    expectNothingRan()
  })
})
