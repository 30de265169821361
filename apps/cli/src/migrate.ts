import { join } from 'node:path'

import * as z from 'zod'

import type { Outputs } from './ask-service.ts'
import { databasePath } from './database-url.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { withoutControls } from './log-line.ts'
import { ProgramError, runProgram } from './run-program.ts'

const movedSchema = z.array(z.object({ table: z.string(), rows: z.number(), digest: z.string() }))

export interface MigrateOptions {
  root: string
  env: NodeJS.ProcessEnv
  /** `postgres://…`, of an empty database. */
  to: string
  json: boolean
}

/** Moves everything from the SQLite file of DATABASE_URL to Postgres, verified, or nothing. */
export async function migrate({ root, env, to, json }: MigrateOptions, { out, error }: Outputs): Promise<ExitCode> {
  if (!/^postgres(ql)?:\/\/.+/.test(to)) {
    error.write('--to must be a URL such as postgres://user:password@host:5432/database.\n')
    return EXIT.usage
  }
  try {
    const program = join(root, 'services/orchestrator/src/move.ts')
    const tables = movedSchema.parse(await runProgram(program, [], { ...env, MIGRATE_TO: to }))
    const to_shown = databasePath(to)
    if (json) out.write(`${JSON.stringify({ to: to_shown, tables })}\n`)
    else {
      for (const { table, rows, digest } of tables)
        out.write(`${table.padEnd(22)} ${String(rows).padStart(10)} rows  ${digest.slice(0, 16)}\n`)
      out.write(
        `Moved, and read back the same. Start the service with DATABASE_URL=${to_shown}; the file stays as it was.\n`,
      )
    }
    return EXIT.ok
  } catch (thrown) {
    if (!(thrown instanceof ProgramError)) throw thrown
    error.write(`${withoutControls(thrown.message)}\n`)
    return EXIT.failed
  }
}
