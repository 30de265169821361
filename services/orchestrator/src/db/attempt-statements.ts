import type { AttemptId, AttemptState, Digest } from '@orchestrator/contract'
import { sql, type ExpressionBuilder, type Insertable, type Kysely } from 'kysely'

import type { AttemptChange, AttemptRun } from '../core/ports.ts'
import { UNFINISHED } from '../core/workflow-steps.ts'
import type { AttemptsTable, Tables } from './models.ts'
import { prepare, prepareWrite, type Prepared } from './prepared.ts'

/** What becomes of an attempt, prepared. */
export function attemptStatements(db: Kysely<Tables>) {
  return {
    insertAttempt: prepareWrite<NewAttemptValues>((value) =>
      db.insertInto('attempts').values({
        id: value('id'),
        workflow_id: value('workflow_id'),
        phase: value('phase'),
        number: value('number'),
        state: value('state'),
        reason: value('reason'),
        feedback: value('feedback'),
        session_id: value('session_id'),
        queued_for: value('queued_for'),
        traceparent: value('traceparent'),
        created_at: value('created_at'),
        started_at: value('started_at'),
        tries: 0,
        hub_sequence: 0,
      }),
    ),

    finishAttempt: prepareWrite<FinishValues>((value) =>
      db
        .updateTable('attempts')
        .set({
          state: value('state'),
          reason: value('reason'),
          finished_at: value('finished_at'),
          next_retry_at: null,
          digest: value('digest'),
          output: value('output'),
          confidence: value('confidence'),
          uncertainty_reasons: value('uncertainty_reasons'),
          checks: value('checks'),
          usage: value('usage'),
          agent: sql`coalesce(${value('agent')}, agent)`,
          session_id: sql`coalesce(${value('session_id')}, session_id)`,
        })
        .where('id', '=', value('id')),
    ),

    /** A null `started_at` leaves it as it is. */
    beginAttempt: prepareWrite<{ id: AttemptId; tries: number; started_at: string | null }>((value) =>
      db
        .updateTable('attempts')
        .set({
          state: 'running',
          reason: null,
          next_retry_at: null,
          tries: value('tries'),
          started_at: sql<string | null>`coalesce(${value('started_at')}, started_at)`,
        })
        .where('id', '=', value('id')),
    ),

    changeAttempt: changesOfAttempts(db),

    backOffAttempt: prepare<AttemptRun & { reason: string; next_retry_at: string }, unknown>((value) =>
      db
        .updateTable('attempts')
        .set({ state: 'backing_off', reason: value('reason'), next_retry_at: value('next_retry_at') })
        .where('id', '=', value('attempt_id'))
        .where('tries', '=', value('tries'))
        .where('state', '=', sql.lit('running')),
    ),

    noteUpdates: prepare<AttemptRun & { hub_sequence: number }, unknown>((value) =>
      db
        .updateTable('attempts')
        .set({ hub_sequence: value('hub_sequence') })
        .where('id', '=', value('attempt_id'))
        .where('tries', '=', value('tries'))
        .where('hub_sequence', '<', value('hub_sequence'))
        .where(stands(UNFINISHED)),
    ),

    noteInvocation: prepare<{ id: AttemptId; agent: string; invocation_id: string }, { state: AttemptState }>((value) =>
      db
        .updateTable('attempts')
        .set({ agent: value('agent'), invocation_id: value('invocation_id') })
        .where('id', '=', value('id'))
        .returning('state'),
    ),
  }
}

/** Changes of an attempt that stands in one of these states; there are few kinds, each prepared when it is first met. */
function changesOfAttempts(db: Kysely<Tables>) {
  const known = new Map<string, Prepared<AttemptChange & { id: AttemptId }, unknown>>()
  return (tx: Kysely<Tables>, id: AttemptId, from: readonly AttemptState[], change: AttemptChange) => {
    const columns = Object.keys(change) as (keyof AttemptChange)[]
    const kind = `${columns.join()} of ${from.join()}`
    const prepared =
      known.get(kind) ??
      prepare<AttemptChange & { id: AttemptId }, unknown>((value) =>
        db
          .updateTable('attempts')
          .set(Object.fromEntries(columns.map((column) => [column, value(column)])))
          .where('id', '=', value('id'))
          .where(stands(from)),
      )
    known.set(kind, prepared)
    return prepared(tx, { id, ...change })
  }
}

/** Literals: compared with a bound value, a column of a partial index has SQLite compile the statement on each run. */
function stands(states: readonly AttemptState[]) {
  return (eb: ExpressionBuilder<Tables, 'attempts'>) =>
    eb(
      'state',
      'in',
      states.map((state) => sql.lit(state)),
    )
}

type NewAttemptValues = Pick<
  Insertable<AttemptsTable>,
  'id' | 'workflow_id' | 'phase' | 'number' | 'state' | 'created_at'
> & {
  reason: string | null
  feedback: string | null
  session_id: string | null
  queued_for: string
  traceparent: string | null
  started_at: string | null
}

interface FinishValues {
  id: AttemptId
  agent: string | null
  state: AttemptState
  reason: string | null
  finished_at: string
  digest: Digest | null
  output: string | null
  confidence: number | null
  uncertainty_reasons: string
  checks: string
  usage: string | null
  session_id: string | null
}
