/** The database cannot be used; the message is one line that says why and what to do. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
}

/** SQLite's primary result code, or undefined when the error is not SQLite's. See https://sqlite.org/rescode.html */
export function sqliteResultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return error.errcode & 0xff
}

/**
 * Whether what the disk holds is in doubt after this error. A file of shared memory that could not grow is not: it
 * says so as an I/O error, and means that there is no room.
 */
export function isDiskFault(error: unknown): boolean {
  if (sqliteResultCode(error) !== SQLITE_IOERR) return false
  const code = (error as Error & { errcode: number }).errcode
  return code !== SQLITE_IOERR_SHMOPEN && code !== SQLITE_IOERR_SHMSIZE && code !== SQLITE_IOERR_SHMMAP
}

export const SQLITE_BUSY = 5
export const SQLITE_READONLY = 8
const SQLITE_IOERR = 10
const SQLITE_IOERR_SHMOPEN = 4618
const SQLITE_IOERR_SHMSIZE = 4874
const SQLITE_IOERR_SHMMAP = 5386
export const SQLITE_CORRUPT = 11
export const SQLITE_FULL = 13
export const SQLITE_CONSTRAINT = 19
export const SQLITE_CANTOPEN = 14
export const SQLITE_NOTADB = 26
