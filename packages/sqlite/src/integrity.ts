import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { Worker } from 'node:worker_threads'

import { DatabaseError } from './database-error.ts'

/** A file up to this size is looked through in a moment; a larger one would keep everybody waiting at the start. */
const CHECKED_AT_ONCE_BYTES = 64 * 1024 * 1024

/** Whether the whole file can be looked through before anybody is served. */
export function isCheckedAtOnce(path: string): boolean {
  return path === ':memory:' || statSync(path).size <= CHECKED_AT_ONCE_BYTES
}

/** Reads the whole file. Throws a DatabaseError when its structure is damaged. */
export function assertIntact(database: DatabaseSync): void {
  const found = findDamage(database)
  if (found !== undefined) throw damaged(found)
}

export function findDamage(database: DatabaseSync): string | undefined {
  const found = database.prepare('pragma quick_check(1)').get()?.['quick_check']
  // Where, then what: `*** in database main ***`, then the fault.
  return found === 'ok' ? undefined : String(found).split('\n').at(-1)
}

/** Looks through the file in a thread of its own, beside the work. Answers how to break it off. */
export function checkBeside(path: string, onDamaged: (error: DatabaseError) => void): () => Promise<unknown> {
  const thread = new Worker(new URL('./integrity-thread.ts', import.meta.url), { workerData: path })
  thread.unref()
  thread.on('error', (error) => onDamaged(damaged(error instanceof Error ? error.message : String(error))))
  return () => thread.terminate()
}

function damaged(found: string): DatabaseError {
  return new DatabaseError(`it is damaged (${found}): restore a backup`)
}
