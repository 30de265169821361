import type { AttemptId } from '@orchestrator/contract'
import { sql } from 'kysely'

import type { ConsumeOptions, WorkflowStore, WorkflowTransaction } from '../core/ports.ts'
import { UnreadableRowError } from '../core/quarantine.ts'
import { ClaimLostError, type PhaseJobs } from './phase-jobs.ts'
import { databaseTransaction } from './transaction.ts'

const RECONCILE_BATCH = 1_000
/** The same for all: only one replica reconciles at a time, and the next sees what it did. */
const RECONCILE_LOCK = 728_514_094

export interface UpkeepOptions {
  jobs: PhaseJobs
  store: WorkflowStore
}

/** Enqueues every unfinished attempt without a job; answers how many. For a database that was restored, moved or meddled with. */
export async function reconcile(
  { jobs, store }: UpkeepOptions,
  enqueue: (tx: WorkflowTransaction, attempt_id: AttemptId, agent: string) => Promise<void>,
): Promise<number> {
  const count = await store.write(async (transaction) => {
    const tx = databaseTransaction(transaction)
    await sql`select pg_advisory_xact_lock(${sql.lit(RECONCILE_LOCK)})`.execute(tx)
    const unqueued = await jobs.listUnqueued(tx, RECONCILE_BATCH)
    for (const { id, queued_for } of unqueued) await enqueue(transaction, id, queued_for)
    return unqueued.length
  })
  return count < RECONCILE_BATCH ? count : count + (await reconcile({ jobs, store }, enqueue))
}

/** Ends the attempts that were tried too often to be tried again. */
export async function bury({ jobs, store }: UpkeepOptions, onDead: ConsumeOptions['onDead']): Promise<void> {
  for (const job of await jobs.fetchDead()) {
    await store
      .write(async (tx) => {
        await onDead(tx, job.data.attempt_id)
        await jobs.completeDead(databaseTransaction(tx), job)
      })
      .catch(ignoreUnreadable)
  }
}

/** Somebody else did it. */
export function ignoreLost(error: unknown): void {
  if (!(error instanceof ClaimLostError)) throw error
}

/** One whose row cannot be read does not hold up the others: it is met again later. */
function ignoreUnreadable(error: unknown): void {
  if (!(error instanceof UnreadableRowError)) ignoreLost(error)
}
