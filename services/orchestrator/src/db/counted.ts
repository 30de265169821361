import { COUNTED_MAX } from '@orchestrator/contract'
import { sql, type Kysely, type RawBuilder } from 'kysely'

import type { Tables } from './models.ts'

/** How many rows `from` gives, counted to COUNTED_MAX: what it costs has a bound, however many there are. */
export async function counted(db: Kysely<Tables>, from: RawBuilder<unknown>): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) as count from (select 1 from ${from} limit ${sql.lit(COUNTED_MAX)}) as counted`.execute(db)
  return rows[0]?.count ?? 0
}
