import type { AttemptId } from '@orchestrator/contract'

import type { Clock, PhaseQueue, WorkflowStore } from '../core/ports.ts'
import { EmbeddedQueue } from './embedded-queue.ts'
import type { Session } from './session.ts'

export interface OpenQueueOptions {
  session: Session
  store: WorkflowStore
  clock: Clock
  /** Something went wrong beside the work and is tried again. */
  onError: (error: unknown) => void
  /** An outcome came too late: another replica may hold the attempt by now, or ended it. Nothing of it was stored. */
  onRefused: (attempt_id: AttemptId) => void
}

/** The queue that belongs to the database: in this process beside a file, pg-boss on a shared one. Close it before the session. */
export async function openQueue(o: OpenQueueOptions): Promise<{ queue: PhaseQueue; close(): Promise<void> }> {
  const { shared } = o.session
  if (shared === undefined) return { queue: new EmbeddedQueue(o), close: async () => {} }
  // Nobody with a file pays for the engine.
  const [{ openPhaseJobs }, { PgBossQueue }] = await Promise.all([
    import('./phase-jobs.ts'),
    import('./pgboss-queue.ts'),
  ])
  const jobs = await openPhaseJobs(shared.url, o.onError)
  return { queue: new PgBossQueue({ ...o, jobs, signals: shared.signals }), close: () => jobs.close() }
}
