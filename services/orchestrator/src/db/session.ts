import { openDatabase, parseSqliteUrl, type Database } from '@orchestrator/sqlite'

import { migrations } from './migrations/index.ts'
import type { Tables } from './models.ts'

/** The seed's word for what holds the connection: reads, and writes that share commits. */
export type Session = Database<Tables>

export interface OpenSessionOptions {
  /** In the seed's form: `sqlite:///./data/orchestrator.db`. */
  url: string
  onFatal: (error: unknown) => void
}

/** Throws a DatabaseError that says in one line what is wrong with the URL or the file. */
export async function openSession(o: OpenSessionOptions): Promise<Session> {
  return openDatabase<Tables>({ path: parseSqliteUrl(o.url), migrations, variable: 'DATABASE_URL', onFatal: o.onFatal })
}
