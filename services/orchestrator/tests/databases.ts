import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { startPostgres, type PostgresServer } from './postgres-server.ts'

/** One kind of database that a suite is run against. */
export interface TestDatabase {
  /** For the suite's title; says so when there is none on this machine. */
  title: string
  isMissing: boolean
  /** What was stored is there when it is opened again. */
  isLasting: boolean
  /** An empty one; answers its URL. */
  create(): Promise<string>
}

export interface TestDatabases {
  all: TestDatabase[]
  /** Those that keep what they hold. */
  lasting: TestDatabase[]
  postgres: PostgresServer
  stop(): Promise<void>
}

/** SQLite in memory, SQLite in a file, and a real Postgres. */
export async function openDatabases(): Promise<TestDatabases> {
  const folder = await mkdtemp(join(tmpdir(), 'orchestrator-databases-'))
  const postgres = await startPostgres()
  let files = 0
  const all: TestDatabase[] = [
    { title: 'SQLite in memory', isMissing: false, isLasting: false, create: async () => 'sqlite:///:memory:' },
    {
      title: 'SQLite in a file',
      isMissing: false,
      isLasting: true,
      create: async () => `sqlite:///${folder}/${files++}.db`,
    },
    {
      title: postgres.missing === undefined ? 'Postgres' : `Postgres, skipped: ${postgres.missing}`,
      isMissing: postgres.missing !== undefined,
      isLasting: true,
      create: () => postgres.createDatabase(),
    },
  ]
  return {
    all,
    lasting: all.filter((database) => database.isLasting),
    postgres,
    async stop() {
      await postgres.stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
