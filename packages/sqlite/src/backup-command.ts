import { backUp, restore } from './backup.ts'
import { DatabaseError } from './database-error.ts'

/**
 * `backup <database> <target>` and `restore <source> <database> <sha256 or -> [overwrite]`, for whoever may not
 * import this package: prints one JSON object, or why not on stderr with exit code 1.
 */
async function run([command, from = '', to = '', sha256 = '-', overwrite]: string[]): Promise<object> {
  if (command === 'backup') return backUp(from, to)
  if (command !== 'restore') throw new DatabaseError('say backup or restore')
  const expected = sha256 === '-' ? undefined : { sha256 }
  return restore({ source: from, path: to, expected, overwrite: overwrite === 'overwrite' })
}

try {
  process.stdout.write(`${JSON.stringify(await run(process.argv.slice(2)))}\n`)
} catch (error) {
  process.stderr.write(`${error instanceof DatabaseError ? error.message : String(error)}\n`)
  process.exitCode = 1
}
