import { DatabaseError } from '@orchestrator/sqlite'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import pg from 'pg'

import { POSTGRES } from './migrations/column-types.ts'
import { migrationsFor } from './migrations/index.ts'
import type { Tables } from './models.ts'
import { connectionOptions } from './postgres-pool.ts'
import { openEventSequence, type EventSequence } from './postgres-sequence.ts'

/** Any number, always the same: replicas that start together bring the schema up to date one after the other. */
const LOCK = 728_514_093

/** Brings the schema to this code's version, on a connection without time limits. A newer database is refused, untouched. */
export async function preparePostgres(url: string): Promise<EventSequence> {
  const client = new pg.Client(connectionOptions(url))
  client.on('error', () => {})
  try {
    await client.connect()
    const db = new Kysely<Tables>({
      dialect: new PostgresDialect({
        pool: {
          options: {},
          connect: async () => ({
            query: client.query.bind(client),
            release: () => {},
          }),
          end: async () => {},
        },
      }),
    })
    await sql`select pg_advisory_lock(${sql.lit(LOCK)})`.execute(db)
    await migrate(db)
    return await openEventSequence(db)
  } finally {
    // Ends the session, and with it the lock.
    await client.end().catch(() => {})
  }
}

async function migrate(db: Kysely<Tables>): Promise<void> {
  const migrations = migrationsFor(POSTGRES)
  const unknown = (await listApplied(db)).filter((name) => !(name in migrations))
  if (unknown.length > 0) {
    throw new DatabaseError(
      `a newer version wrote it (it has ${unknown.join(', ')}): run that version, or restore a backup`,
    )
  }
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw error instanceof Error ? error : new DatabaseError('a migration failed')
}

async function listApplied(db: Kysely<Tables>): Promise<string[]> {
  const found = await sql<{ name: string | null }>`select to_regclass('kysely_migration')::text as name`.execute(db)
  if (found.rows[0]?.name == null) return []
  const applied = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  return applied.rows.map((row) => row.name)
}
