import { existsSync, realpathSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'

/** Beside the database, and not beside a link to it: whoever holds a lock on it owns the database. */
export const ownerPath = (path: string) => `${existsSync(path) ? realpathSync(path) : path}.owner`

/** The operating system drops this lock with the process, however it ends. Throws SQLITE_BUSY when another has it. */
export function lockForOwner(owner: DatabaseSync): void {
  owner.exec('pragma busy_timeout = 0')
  owner.exec('pragma journal_mode = memory')
  owner.exec('begin exclusive')
}
