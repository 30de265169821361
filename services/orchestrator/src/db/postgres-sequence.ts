import { sql, type Kysely, type RawBuilder } from 'kysely'

import { lastOfFeed } from './event-feed.ts'
import type { Tables } from './models.ts'

/** Places that one transaction has. */
export const PER_TRANSACTION = 1000

const BASE = 'event_base'

/**
 * How the rows of the event feed are numbered when several processes commit at once. A counter would be in the order in
 * which it was asked, not in which it was committed, and a reader that asks for what comes after 7
 * would never see a 6 committed later. So the number is made of the transaction's own id, and read is
 * only what lies below the oldest transaction still running: nothing can appear there any more.
 * Numbers grow and have holes.
 */
export interface EventSequence {
  /** Of the first row of the running transaction; the others follow. */
  first: RawBuilder<number>
  /** Every event below is committed or never will be. */
  horizon: RawBuilder<number>
}

/**
 * Transaction ids belong to the server: a database restored on another one starts again from small ids.
 * The base makes up for it. Runs under the lock of the migrations, before this process writes.
 */
export async function openEventSequence(db: Kysely<Tables>): Promise<EventSequence> {
  await db
    .insertInto('counters')
    .values({ name: BASE, value: 0 })
    .onConflict((conflict) => conflict.doNothing())
    .execute()
  const next_id = sql<number>`pg_snapshot_xmax(pg_current_snapshot())::text::bigint`
  const { value, last, next } = await db
    .selectFrom('counters')
    .select(['value', lastOfFeed().as('last'), next_id.as('next')])
    .where('name', '=', BASE)
    .executeTakeFirstOrThrow()
  const isBehind = value + next * PER_TRANSACTION <= last
  const base = isBehind ? last + 1 - next * PER_TRANSACTION : value
  if (isBehind) await db.updateTable('counters').set({ value: base }).where('name', '=', BASE).execute()
  const from = (id: RawBuilder<unknown>) =>
    sql<number>`(${sql.lit(base)}::bigint + ${id}::text::bigint * ${sql.lit(PER_TRANSACTION)})`
  return {
    first: from(sql`pg_current_xact_id()`),
    horizon: from(sql`pg_snapshot_xmin(pg_current_snapshot())`),
  }
}
