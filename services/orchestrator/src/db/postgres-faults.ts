import { ServiceError } from '@orchestrator/contract'
import pg from 'pg'

/** SQLSTATE of a Postgres error or the system's name of a socket's; see https://www.postgresql.org/docs/current/errcodes-appendix.html */
export function faultCode(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

/** Somebody else was first: the same work, run again, sees what they did. */
const CONFLICTS = new Set(['40001', '40P01', '23505'])

export function isConflict(error: unknown): boolean {
  return CONFLICTS.has(faultCode(error) ?? '') || isRefusedMove(error)
}

/** A workflow did not stand where its move expected it: see `moveOf` of the statements. */
function isRefusedMove(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError &&
    error.code === '23502' &&
    error.table === 'workflows' &&
    error.column === 'status'
  )
}

/** The server goes down or comes up, is full, became a standby, or ended a transaction that stood still for too long. */
const UNAVAILABLE = new Set(['57P01', '57P02', '57P03', '53300', '25006', '25P03', '25P04'])
const SOCKET = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
])
/** What the driver says without a code. */
const SPOKEN =
  /connection terminated|connection error|query read timeout|timeout exceeded when trying to connect|not queryable/i

/** The connection is gone or useless; another one may do. */
export function isConnectionFault(error: unknown): boolean {
  const code = faultCode(error)
  if (code !== undefined) return UNAVAILABLE.has(code) || SOCKET.has(code) || code.startsWith('08')
  return error instanceof Error && SPOKEN.test(error.message)
}

/** The COMMIT was sent and its answer never came: it may or may not have happened. */
export class CommitUnknownError extends Error {
  override readonly name = 'CommitUnknownError'
}

/** What a caller gets to hear of a fault that trying again did not mend. */
export function toServiceError(error: unknown): unknown {
  if (error instanceof CommitUnknownError) {
    const message =
      'The database went away while this was being stored, so it may or may not have happened. Look first, then send it again; with the same Idempotency-Key that is safe.'
    return new ServiceError('UNAVAILABLE', message, { cause: error })
  }
  if (faultCode(error) === '53100') {
    return new ServiceError('STORAGE_FULL', 'The database server has no room left. Make room, then try again.', {
      cause: error,
    })
  }
  if (!isConnectionFault(error)) return error
  return new ServiceError('UNAVAILABLE', 'The database cannot be reached just now. Try again in a moment.', {
    cause: error,
  })
}

/** Why a database cannot be used at start and what to do, to follow "because"; never holds the password. */
export function startFault(error: unknown): string {
  const code = faultCode(error) ?? ''
  const known = START_FAULTS[code]
  if (known !== undefined) return known
  if (isConnectionFault(error)) return 'it does not answer: start it, or correct the address'
  return error instanceof Error ? error.message : String(error)
}

const START_FAULTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: start the server, or correct host and port',
  ENOTFOUND: 'there is no host of that name: correct it',
  EAI_AGAIN: 'the host name cannot be resolved just now: check the network, or correct it',
  '28P01': 'it refuses the user or the password: correct them',
  '28000': 'it refuses this user: correct the name, or allow it in pg_hba.conf',
  '3D000': 'the server has no database of that name: create it with createdb, or correct the name',
  '42501': 'the user may not create tables there: grant it CREATE on the database and its schema',
  '53300': 'the server has no connection left: raise max_connections, or run fewer replicas',
  '57P03': 'the server is still starting: try again in a moment',
}
