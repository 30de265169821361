import { spawn } from 'node:child_process'
import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'

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

/**
 * Looks through the file in a process of its own, beside the work: a thread could not be ended in the middle of it.
 * Answers how to break it off.
 */
export function checkBeside(path: string, onDamaged: (error: DatabaseError) => void): () => void {
  const program = fileURLToPath(new URL('./integrity-process.ts', import.meta.url))
  const child = spawn(process.execPath, [program, path], { stdio: ['ignore', 'pipe', 'ignore'], env: {} })
  child.unref()
  let found = ''
  let isWanted = true
  child.stdout.setEncoding('utf8').on('data', (text: string) => (found += text))
  const end = (code: number | null) => {
    if (!isWanted) return
    if (found !== '') onDamaged(damaged(found))
    else if (code !== 0) process.emitWarning(`The database ${path} could not be checked: it is used unchecked.`)
  }
  child.on('error', () => end(null)).on('close', end)
  return () => {
    isWanted = false
    child.kill('SIGKILL')
  }
}

function damaged(found: string): DatabaseError {
  return new DatabaseError(`it is damaged (${found}): restore a backup`)
}
