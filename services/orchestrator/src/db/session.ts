import { sql, type Kysely } from 'kysely'
import { openDatabase, parseSqliteUrl, type Database } from '@orchestrator/sqlite'

import { lastOfFeed } from './event-feed.ts'
import { migrations } from './migrations/index.ts'
import type { Tables } from './models.ts'
import type { SharedDatabase } from './shared-database.ts'

/** The seed's word for what holds the connection: reads, and writes that share commits. */
export interface Session extends Database<Tables> {
  /** The next place in the event feed, where one process owns the file and counts. */
  readonly nextSequence?: () => number
  /** On Postgres, where others write too and a place is made of the transaction's id; undefined on SQLite. */
  readonly shared?: SharedDatabase
}

export interface OpenSessionOptions {
  /** `postgres://…`, or the seed's form: `sqlite:///./data/orchestrator.db`. */
  url: string
  onFatal: (error: unknown) => void
  /** Something went wrong beside the work and is tried again. */
  onError?: (error: unknown) => void
  /** How many transactions a commit to the file took along. */
  onBatch?: (size: number) => void
}

/** Throws a DatabaseError that says in one line what is wrong with the URL, the file or the server. */
export async function openSession({ url, onFatal, onBatch, onError = () => {} }: OpenSessionOptions): Promise<Session> {
  if (/^postgres(ql)?:/.test(url)) {
    // Nobody with a file pays for the driver.
    const { openPostgres } = await import('./postgres-session.ts')
    return openPostgres({ url, onError })
  }
  const database = await openDatabase<Tables>({
    path: parseSqliteUrl(url),
    migrations,
    variable: 'DATABASE_URL',
    onFatal,
    ...(onBatch && { onBatch }),
  })
  let sequence = await lastPlace(database.read)
  return { ...database, nextSequence: () => ++sequence }
}

/** The last place ever given, also to an event that is gone by now: SQLite notes it beside the table. */
async function lastPlace(read: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ given: number }>`
    select max(${lastOfFeed()}, coalesce(max(seq), 0)) as given from sqlite_sequence where name = 'events'`.execute(
    read,
  )
  return rows[0]?.given ?? 0
}
