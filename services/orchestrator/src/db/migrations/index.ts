import type { Migration } from 'kysely/migration'

import * as initial from './0001_initial.ts'

/** Forward only, run at start under a lock. A new one gets the next number and is never edited once released. */
export const migrations: Record<string, Migration> = {
  '0001_initial': initial,
}
