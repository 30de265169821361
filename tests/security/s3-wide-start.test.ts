import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { freePort } from '../../services/orchestrator/tests/free-port.ts'
import { startService } from '../../services/orchestrator/tests/service.ts'
import { figure } from './counts.ts'

const ROOT = resolve(import.meta.dirname, '../..')
/** Whole, on a machine that does nothing else, it is measured; beside other tests it is only looked at. */
const LIMIT_MS = figure(20_000, 2_000)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'wide-start-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

const answers = (port: number) =>
  new Promise<boolean>((done) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => done(true)).once('error', () => done(false))
    socket.once('close', () => socket.destroy())
  })

/** Starts it and knocks for as long as it lives. */
async function start(service: string, env: Record<string, string>) {
  const port = await freePort()
  const began = performance.now()
  const child = spawn(process.execPath, [`services/${service}/src/main.ts`], {
    cwd: ROOT,
    env: {
      PATH: process.env['PATH'] ?? '',
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
      HOME: folder,
      PORT: String(port),
      HUB_PORT: String(port),
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  const ended = once(child, 'close')
  let listened = false
  while (child.exitCode === null && child.signalCode === null && !listened) {
    listened = await answers(port)
    await Promise.race([ended, new Promise((done) => setTimeout(done, 5))])
  }
  if (listened) child.kill('SIGKILL')
  await ended
  return { code: child.exitCode, output, listened, took_ms: performance.now() - began }
}

const WIDE = ['0.0.0.0', '::', '0', '[::]', '0.0', '::0', '10.0.0.1', 'team.example'].slice(0, figure(2, 8))

describe('the orchestrator, told to listen for others,', () => {
  const file = () => join(folder, 'orchestrator.db')
  const startOn = (more: Record<string, string> = {}) =>
    start('orchestrator', {
      HOST: '0.0.0.0',
      PHASE_EXECUTION: 'external',
      DATABASE_URL: `sqlite:///${file()}`,
      ...more,
    })

  /** A database as a service of ours leaves it, with one key. */
  async function leaveDatabase(): Promise<void> {
    await mkdir(folder, { recursive: true })
    await (await startService({ folder, env: { HOST: '0.0.0.0' } })).stop()
  }
  const change = (sql: string) => {
    const database = new DatabaseSync(file())
    database.exec(sql)
    database.close()
  }

  const STORES: [what: string, spoil: () => Promise<unknown>, says: RegExp][] = [
    ['is a folder', () => mkdir(file()), /DATABASE_URL/],
    ['is no database', () => writeFile(file(), 'x'.repeat(10_000)), /DATABASE_URL/],
    ['lies below a file', () => rm(folder, { recursive: true }).then(() => writeFile(folder, '')), /DATABASE_URL/],
    ['was cut off', async () => leaveDatabase().then(() => truncate(file(), 20_000)), /DATABASE_URL/],
    ['has lost its keys', async () => leaveDatabase().then(() => change('drop table keys')), /keys/],
    [
      'has other keys',
      async () => leaveDatabase().then(() => change('alter table keys rename column secret_sha256 to secret')),
      /keys/,
    ],
    [
      'has no key that is good',
      async () => leaveDatabase().then(() => change(`update keys set revoked_at = '2001-01-01T00:00:00.000Z'`)),
      /key/,
    ],
  ]
  it.each(STORES)('does not start when the key store %s', async (_what, spoil, says) => {
    await spoil()
    const { code, output, listened, took_ms } = await startOn()
    expect({ code, listened, output }).toEqual({ code: 1, listened: false, output: expect.stringMatching(says) })
    expect(output.trim().split('\n')).toHaveLength(1)
    expect(took_ms).toBeLessThan(LIMIT_MS)
  })

  it('does not start when the key store is on a server that is not there', async () => {
    const { code, output, listened } = await startOn({ DATABASE_URL: 'postgres://keeper:canary-word@127.0.0.1:1/x' })
    expect({ code, listened }).toEqual({ code: 1, listened: false })
    expect(output).toContain('DATABASE_URL')
    expect(output).not.toContain('canary-word')
  })
})

describe('the hub, told to listen for others,', () => {
  const startOn = (more: Record<string, string>) =>
    start('agent-hub', { HUB_DATA_DIR: folder, HUB_DATABASE_URL: `sqlite:///${folder}/hub.db`, ...more })

  it.each(WIDE)('does not start on %s without a secret', async (HUB_HOST) => {
    const { code, output, listened, took_ms } = await startOn({ HUB_HOST })
    expect({ code, listened, output }).toEqual({
      code: 1,
      listened: false,
      output: expect.stringContaining('set AGENT_HUB_TOKEN'),
    })
    expect(took_ms).toBeLessThan(LIMIT_MS)
  })

  it.each(['short', ' '.repeat(3), 'fifteen-letters'])(
    'does not start with the secret "%s"',
    async (AGENT_HUB_TOKEN) => {
      const { code, output, listened } = await startOn({ HUB_HOST: '0.0.0.0', AGENT_HUB_TOKEN })
      expect({ code, listened, output }).toEqual({
        code: 1,
        listened: false,
        output: expect.stringContaining('AGENT_HUB_TOKEN'),
      })
      expect(output).not.toContain(`"${AGENT_HUB_TOKEN}"`)
    },
  )
})
