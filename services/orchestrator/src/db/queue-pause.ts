import type { Kysely, Transaction } from 'kysely'

import type { QueuePause } from '../core/ports.ts'
import type { Tables } from './models.ts'

const PHASES = 'phases'

/** Whether the queue is paused stands in its row, for whoever starts later and for the other replicas. */
export async function storePause(tx: Transaction<Tables>, pause: QueuePause): Promise<boolean> {
  const changed = await tx
    .updateTable('queues')
    .set(pause)
    .where('name', '=', PHASES)
    .where('paused_at', 'is', null)
    .executeTakeFirst()
  return changed.numUpdatedRows === 1n
}

export async function clearPause(tx: Transaction<Tables>): Promise<boolean> {
  const changed = await tx
    .updateTable('queues')
    .set({ paused_at: null, paused_by: null, reason: null })
    .where('name', '=', PHASES)
    .where('paused_at', 'is not', null)
    .executeTakeFirst()
  return changed.numUpdatedRows === 1n
}

export async function findPause(read: Kysely<Tables>): Promise<QueuePause | undefined> {
  const row = await read
    .selectFrom('queues')
    .select(['paused_at', 'paused_by', 'reason'])
    .where('name', '=', PHASES)
    .executeTakeFirst()
  if (row?.paused_at == null) return undefined
  return { paused_at: row.paused_at, paused_by: row.paused_by ?? '', reason: row.reason }
}
