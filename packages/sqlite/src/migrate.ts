import { sql, type Kysely } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'

import { DatabaseError } from './database-error.ts'

/** Brings the schema to this code's version. A database that a newer version wrote is refused, untouched. */
export async function migrate<S>(db: Kysely<S>, migrations: Record<string, Migration>): Promise<void> {
  const unknown = (await listApplied(db)).filter((name) => !(name in migrations))
  if (unknown.length > 0) {
    throw new DatabaseError(
      `a newer version wrote it (it has ${unknown.join(', ')}): run that version, or restore a backup`,
    )
  }
  const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined)
    throw new DatabaseError(error instanceof Error ? error.message : 'a migration failed', { cause: error })
}

async function listApplied<S>(db: Kysely<S>): Promise<string[]> {
  const tables = await sql<{ name: string }>`select name from sqlite_master where name = 'kysely_migration'`.execute(db)
  if (tables.rows.length === 0) return []
  const applied = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(db)
  return applied.rows.map((row) => row.name)
}
