import { openDatabase, parseSqliteUrl, type Database } from '@orchestrator/sqlite'

import { migrations } from './migrations/index.ts'
import type { Tables } from './models.ts'
import type { SharedDatabase } from './shared-database.ts'

/** The seed's word for what holds the connection: reads, and writes that share commits. */
export interface Session extends Database<Tables> {
  /** On Postgres, where others write too; undefined where one process owns the file. */
  readonly shared?: SharedDatabase
}

export interface OpenSessionOptions {
  /** `postgres://…`, or the seed's form: `sqlite:///./data/orchestrator.db`. */
  url: string
  onFatal: (error: unknown) => void
  /** Something went wrong beside the work and is tried again. */
  onError?: (error: unknown) => void
}

/** Throws a DatabaseError that says in one line what is wrong with the URL, the file or the server. */
export async function openSession({ url, onFatal, onError = () => {} }: OpenSessionOptions): Promise<Session> {
  if (/^postgres(ql)?:/.test(url)) {
    // Nobody with a file pays for the driver.
    const { openPostgres } = await import('./postgres-session.ts')
    return openPostgres({ url, onError })
  }
  return openDatabase<Tables>({ path: parseSqliteUrl(url), migrations, variable: 'DATABASE_URL', onFatal })
}
