import { StartupError } from '@orchestrator/server'

import type { Keys } from '../core/keys.ts'

/**
 * For a service that is open to others: the admin key of its first start, or undefined when it has keys. A store that
 * cannot be read, or whose keys open nothing any more, is a StartupError and never a reason to let anybody in.
 */
export async function ensureFirstKey(keys: Keys, host: string): Promise<string | undefined> {
  try {
    const first_key = (await keys.hasAny()) ? undefined : await keys.createFirst()
    if (first_key !== undefined) return first_key
    if (await keys.hasGood()) return undefined
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartupError(
      `DATABASE_URL: the keys cannot be read (${reason}), and without them HOST may not be ${host}: restore a backup of the database.`,
      { cause: error },
    )
  }
  throw new StartupError(
    `HOST is ${host}, which needs keys, and every key of this database has expired or was revoked: set HOST to 127.0.0.1, make one with "npx orchestrator keys create", and set HOST again.`,
  )
}
