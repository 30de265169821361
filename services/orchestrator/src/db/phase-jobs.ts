import type { AttemptId } from '@orchestrator/contract'
import { sql, type Kysely, type NotNull, type Transaction } from 'kysely'
import { fromKysely, PgBoss, type JobWithMetadata } from 'pg-boss'

import type { QueueLoad } from '../core/ports.ts'
import { counted } from './counted.ts'
import type { Tables } from './models.ts'
import { connectionOptions, STATEMENT_MS } from './postgres-pool.ts'

/** What a job says: everything else stands in the attempt's row. */
interface PhaseJobData {
  attempt_id: AttemptId
}

/** With its metadata: without the number of the try in it there would be no fence. */
export type PhaseJob = JobWithMetadata<PhaseJobData>

const SCHEMA = 'pgboss'
const PHASES = 'phases'
const DEAD = 'phases-dead'

/** The least the engine allows. A replica that dies is noticed after this, less the age of its last touch. */
const HEARTBEAT_SECONDS = 10
/** The engine looks for lost jobs so often; every second more would be one more until a phase goes on elsewhere. */
const SUPERVISE_SECONDS = 1
/** The longest the engine allows; a longer phase is attached to again by the next try. */
const EXPIRE_SECONDS = 24 * 3600
/** Waiting jobs older than this would be deleted without a word; reconciling would bring them back. */
const RETENTION_SECONDS = 365 * 24 * 3600
/** Done jobs tell nothing that the attempts do not tell. */
const KEEP_DONE_SECONDS = 3600
/** Counts crashes of replicas as well as faults. */
const RETRY_LIMIT = 20
/** Of the engine's own pool: one to fetch, one to touch, one to supervise. */
const CONNECTIONS = 3

/** Work that was handed back goes before what was never begun. */
const PRIORITY_AGAIN = 1

/** Another replica holds this job by now, or it is done. */
export class ClaimLostError extends Error {
  override readonly name = 'ClaimLostError'
}

/** One queue of pg-boss, in the words of phases. */
export interface PhaseJobs {
  send(tx: Transaction<Tables>, attempt_id: AttemptId, agent: string): Promise<void>
  /** At most so many, oldest first, for no agent of these; now held by this process. */
  fetch(count: number, without: readonly string[]): Promise<PhaseJob[]>
  /** Answers which of these are still held. */
  touch(jobs: readonly PhaseJob[]): Promise<Set<string>>
  /** Throws a ClaimLostError, so that the transaction rolls back: the engine itself would only count no row. */
  complete(tx: Transaction<Tables>, job: PhaseJob): Promise<void>
  /** Puts it back as if it had never been taken, for now or for later. Answers false when it is held elsewhere by now. */
  handBack(tx: Transaction<Tables>, job: PhaseJob, after_seconds?: number): Promise<boolean>
  /** Counts as a failed try. */
  fail(job: PhaseJob): Promise<void>
  /** Those whose tries are used up. */
  fetchDead(): Promise<PhaseJob[]>
  completeDead(tx: Transaction<Tables>, job: PhaseJob): Promise<void>
  /** Unfinished attempts that no job stands for, oldest first. */
  listUnqueued(db: Kysely<Tables>, limit: number): Promise<{ id: AttemptId; queued_for: string }[]>
  describeLoad(db: Kysely<Tables>): Promise<QueueLoad>
  close(): Promise<void>
}

export async function openPhaseJobs(url: string, onError: (error: unknown) => void): Promise<PhaseJobs> {
  const boss = new PgBoss({
    ...queueConnection(url),
    schema: SCHEMA,
    max: CONNECTIONS,
    supervise: true,
    superviseIntervalSeconds: SUPERVISE_SECONDS,
    monitorIntervalSeconds: SUPERVISE_SECONDS,
    maintenanceIntervalSeconds: KEEP_DONE_SECONDS,
    // Nothing here runs by the calendar.
    schedule: false,
  })
  boss.on('error', onError)
  await boss.start()
  const common = { retentionSeconds: RETENTION_SECONDS, deleteAfterSeconds: KEEP_DONE_SECONDS, retryDelay: 0 }
  const dead = { ...common, retryLimit: 1_000_000, expireInSeconds: 60 }
  const phases = {
    ...common,
    retryLimit: RETRY_LIMIT,
    expireInSeconds: EXPIRE_SECONDS,
    heartbeatSeconds: HEARTBEAT_SECONDS,
    deadLetter: DEAD,
  }
  await boss.createQueue(DEAD, dead)
  await boss.createQueue(PHASES, phases)
  // A queue that an older version made keeps its settings otherwise.
  await boss.updateQueue(DEAD, dead)
  await boss.updateQueue(PHASES, phases)

  const insert = async (
    tx: Transaction<Tables>,
    attempt_id: AttemptId,
    agent: string,
    priority: number,
    startAfter = 0,
  ) => {
    const options = { db: fromKysely(tx), singletonKey: attempt_id, priority, startAfter, group: { id: agent } }
    await boss.send(PHASES, { attempt_id } satisfies PhaseJobData, options)
  }
  const completeIn = async (tx: Transaction<Tables>, queue: string, job: PhaseJob) => {
    if (countOf(await boss.complete(queue, job, null, { db: fromKysely(tx) })) !== 1) {
      throw new ClaimLostError(`attempt ${job.data.attempt_id} is held by another replica by now`)
    }
  }

  return {
    send: (tx, attempt_id, agent) => insert(tx, attempt_id, agent, 0),
    fetch: (count, without) =>
      boss.fetch<PhaseJobData>(PHASES, { batchSize: count, includeMetadata: true, ignoreGroups: [...without] }),
    touch: async (jobs) => settledOf(await boss.touch(PHASES, [...jobs])),
    complete: (tx, job) => completeIn(tx, PHASES, job),
    async handBack(tx, job, after_seconds) {
      // A new job, for a retry would count as a failed try and come after a pause.
      if (countOf(await boss.deleteJob(PHASES, job, { db: fromKysely(tx) })) !== 1) return false
      await insert(tx, job.data.attempt_id, job.groupId ?? '', PRIORITY_AGAIN, after_seconds)
      return true
    },
    async fail(job) {
      await boss.fail(PHASES, job)
    },
    fetchDead: () => boss.fetch<PhaseJobData>(DEAD, { batchSize: 10, includeMetadata: true }),
    completeDead: (tx, job) => completeIn(tx, DEAD, job),
    async listUnqueued(db, limit) {
      return db
        .selectFrom('attempts')
        .select(['id', 'queued_for'])
        .where('state', 'in', ['queued', 'running', 'backing_off'])
        .where(
          sql<boolean>`not exists (select 1 from ${sql.table(`${SCHEMA}.job`)} as job
            where job.name in (${PHASES}, ${DEAD}) and job.singleton_key = attempts.id and job.state < 'completed')`,
        )
        .orderBy('position')
        .limit(limit)
        .$narrowType<{ queued_for: NotNull }>()
        .execute()
    },
    async describeLoad(db) {
      const waits = sql`${sql.table(`${SCHEMA}.job`)} where name = ${PHASES} and state < 'active'`
      const [waiting, at_work, oldest] = await Promise.all([
        counted(db, waits),
        counted(db, sql`attempts where state in ('running', 'backing_off')`),
        sql<{ at: Date }>`select created_on as at from ${waits} order by priority desc, created_on limit 1`.execute(db),
      ])
      return { waiting, at_work, oldest_waiting_at: oldest.rows[0]?.at.toISOString() ?? null }
    },
    close: () => boss.stop({ graceful: false }),
  }
}

/** The engine hands these on to the driver's pool, although its types do not name them all. */
function queueConnection(url: string): object {
  return {
    ...connectionOptions(url),
    application_name: 'orchestrator queue',
    // What is taken here and lost in a crash is taken again; a step that builds on it has it on the disk with its own COMMIT.
    options: '-c synchronous_commit=off',
    // Without it the loop that fetches waits for the answer of a half-open connection for ever.
    query_timeout: STATEMENT_MS,
  }
}

/** The engine answers more than its types tell: how many rows it changed, and which. */
function countOf(response: object): number {
  return 'affected' in response ? Number(response.affected) : Number.NaN
}

function settledOf(response: object): Set<string> {
  const settled: unknown = 'settled' in response ? response.settled : undefined
  return new Set(Array.isArray(settled) ? settled.map(String) : [])
}
