/** The database cannot be used; the message is one line that says why and what to do. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
}

/** SQLite's primary result code, or undefined when the error is not SQLite's. See https://sqlite.org/rescode.html */
export function sqliteResultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return error.errcode & 0xff
}

export const SQLITE_BUSY = 5
export const SQLITE_READONLY = 8
export const SQLITE_IOERR = 10
export const SQLITE_CORRUPT = 11
export const SQLITE_FULL = 13
export const SQLITE_CANTOPEN = 14
export const SQLITE_NOTADB = 26
