import { DatabaseError } from '@orchestrator/sqlite'

import { readConfig } from './config.ts'
import { moveToPostgres } from './db/move-to-postgres.ts'

/** Started by `orchestrator migrate` with MIGRATE_TO: prints the moved tables as JSON, or why not. */
try {
  const { database_url } = readConfig(process.env)
  if (!database_url.startsWith('sqlite:')) throw new DatabaseError('DATABASE_URL already names a Postgres server')
  // Not an argument: those can be read by everybody on the machine, and it holds a password.
  const target = process.env['MIGRATE_TO'] ?? ''
  process.stdout.write(`${JSON.stringify(await moveToPostgres(database_url, target))}\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
