import type { AttemptId, Feature, FeatureId, Phase, WorkflowId, WorkflowStatus } from '@orchestrator/contract'
import { sql, type Insertable, type Kysely, type Selectable } from 'kysely'

import type { HistoryWords } from '../core/ports.ts'
import { attemptStatements } from './attempt-statements.ts'
import type {
  EventsTable,
  FeaturesTable,
  ReviewsTable,
  Tables,
  WorkflowHistoryTable,
  WorkflowsTable,
} from './models.ts'
import type { EventSequence } from './postgres-sequence.ts'
import { prepare, prepareWrite } from './prepared.ts'
import { selectWorkflows } from './rows.ts'

/** A workflow as a transaction reads it: with what its next step has to know beside it. */
function findWorkflows(db: Kysely<Tables>) {
  return selectWorkflows(db)
    .select(['a.session_id', 'a.notes'])
    .select((eb) =>
      eb
        .exists(
          eb
            .selectFrom('review_threads as t')
            .select(sql.lit(1).as('one'))
            .whereRef('t.workflow_id', '=', 'w.id')
            .where('t.fate', '=', sql.lit('open')),
        )
        .as('has_open_threads'),
    )
}

/** The same with what its attempt is run with. */
function findWorks(db: Kysely<Tables>) {
  return findWorkflows(db).select([
    'a.phase',
    'a.agent as attempt_agent',
    'a.invocation_id',
    'a.feedback',
    'a.hub_sequence',
    'a.traceparent',
  ])
}

export type FoundWorkflow = Awaited<ReturnType<ReturnType<typeof findWorkflows>['executeTakeFirstOrThrow']>>
type FoundWork = Awaited<ReturnType<ReturnType<typeof findWorks>['executeTakeFirstOrThrow']>>

/** What every transition runs, prepared; the rare statements stand where they are used. */
export function createStatements(db: Kysely<Tables>, sequence?: EventSequence) {
  return {
    findWorkflow: prepare<{ id: WorkflowId }, FoundWorkflow>((value) =>
      findWorkflows(db).where('w.id', '=', value('id')),
    ),

    // The workflow is named by its key: from a plain join over the attempt Postgres makes a plan that reads all
    // workflows, as long as it knows of none.
    findWork: prepare<{ id: AttemptId }, FoundWork>((value) =>
      findWorks(db)
        .where('w.id', '=', (attempts) =>
          attempts.selectFrom('attempts').select('workflow_id').where('id', '=', value('id')),
        )
        .where('a.id', '=', value('id')),
    ),

    // On Postgres a transaction holds its workflow from the first look on, as SQLite's holds everything:
    // nobody else takes a step of it, ends its attempt or begins one in between.
    lockWorkflow:
      sequence &&
      prepare<{ id: WorkflowId }, { first_sequence: number }>((value) =>
        db
          .selectFrom('workflows')
          .select(sequence.first.as('first_sequence'))
          .where('id', '=', value('id'))
          .forUpdate(),
      ),

    lockWorkflowOf:
      sequence &&
      prepare<{ id: AttemptId }, { first_sequence: number }>((value) =>
        db
          .selectFrom('workflows')
          .select(sequence.first.as('first_sequence'))
          .where('id', '=', (attempts) =>
            attempts.selectFrom('attempts').select('workflow_id').where('id', '=', value('id')),
          )
          .forUpdate(),
      ),

    insertWorkflow: prepareWrite<Omit<Insertable<WorkflowsTable>, 'history_sequence'>>((value) =>
      db.insertInto('workflows').values({
        id: value('id'),
        workflow_type: value('workflow_type'),
        status: value('status'),
        feature_id: value('feature_id'),
        feature_description: value('feature_description'),
        current_phase: value('current_phase'),
        context: value('context'),
        result: value('result'),
        error: value('error'),
        created_at: value('created_at'),
        updated_at: value('updated_at'),
        completed_at: value('completed_at'),
        workspace: value('workspace'),
        agent: value('agent'),
        model: value('model'),
        retry_of: value('retry_of'),
        created_by: value('created_by'),
        attempt_id: value('attempt_id'),
        sequence: value('sequence'),
        key_id: value('key_id'),
        request_id: value('request_id'),
        address: value('address'),
        history_hash: value('history_hash'),
        history_sequence: 0,
      }),
    ),

    moveWorkflow: moveOf(db, false, sequence !== undefined),
    endWorkflow: moveOf(db, true, sequence !== undefined),

    insertEntry: prepareWrite<Insertable<WorkflowHistoryTable>>((value) =>
      db.insertInto('workflow_history').values({
        id: value('id'),
        workflow_id: value('workflow_id'),
        from_status: value('from_status'),
        to_status: value('to_status'),
        trigger: value('trigger'),
        metadata: value('metadata'),
        created_at: value('created_at'),
        sequence: value('sequence'),
        actor: value('actor'),
        phase: value('phase'),
        attempt: value('attempt'),
        attempt_id: value('attempt_id'),
        digest: value('digest'),
        key_id: value('key_id'),
        request_id: value('request_id'),
        address: value('address'),
        words_hash: value('words_hash'),
        hash: value('hash'),
      }),
    ),

    insertWords: prepareWrite<HistoryWords>((value) =>
      db.insertInto('history_words').values({
        history_id: value('history_id'),
        salt: value('salt'),
        words: value('words'),
      }),
    ),

    ...attemptStatements(db),

    // The literal lets SQLite use the index of open threads, which hardly ever holds any.
    closeThreads: prepareWrite<{ workflow_id: WorkflowId }>((value) =>
      db
        .updateTable('review_threads')
        .set({ fate: 'unanswered' })
        .where('workflow_id', '=', value('workflow_id'))
        .where('fate', '=', sql.lit('open')),
    ),

    insertReview: prepareWrite<Insertable<ReviewsTable>>((value) =>
      db.insertInto('reviews').values({
        id: value('id'),
        workflow_id: value('workflow_id'),
        attempt_id: value('attempt_id'),
        verdict: value('verdict'),
        actor: value('actor'),
        digest: value('digest'),
        created_at: value('created_at'),
      }),
    ),

    insertEvent: prepareWrite<Insertable<EventsTable>>((value) =>
      db.insertInto('events').values({
        sequence: value('sequence'),
        workflow_id: value('workflow_id'),
        type: value('type'),
        data: value('data'),
        created_at: value('created_at'),
      }),
    ),

    takeFeatureNumber: prepare<{ floor: number; after_floor: number }, { value: number }>((value) =>
      db
        .updateTable('counters')
        .set((eb) => ({
          value: eb
            .case()
            .when('value', '>=', value('floor'))
            .then(eb('value', '+', 1))
            .else(value('after_floor'))
            .end(),
        }))
        .where('name', '=', 'feature_number')
        .returning('value'),
    ),

    insertFeature: prepareWrite<Feature>((value) =>
      db.insertInto('features').values({
        id: value('id'),
        workspace: value('workspace'),
        description: value('description'),
        created_at: value('created_at'),
        updated_at: value('updated_at'),
      }),
    ),

    findFeature: prepare<{ id: FeatureId }, Omit<Selectable<FeaturesTable>, 'sequence'>>((value) =>
      db
        .selectFrom('features')
        .select(['id', 'workspace', 'description', 'created_at', 'updated_at', 'ticks_to_apply'])
        .where('id', '=', value('id')),
    ),

    firstSequence:
      sequence &&
      prepare<object, { first_sequence: number }>(() => db.selectNoFrom(sequence.first.as('first_sequence'))),
  }
}

/**
 * Answers whether the workflow stood where it was expected. On Postgres nobody waits for that answer: the transaction
 * holds the row, and from anywhere else the move is one to no status at all, which fails it.
 * Only the end of a workflow names `completed_at`: SQLite rewrites the indexes over each column that is named, changed or not.
 */
function moveOf(db: Kysely<Tables>, ends: boolean, isHeld: boolean) {
  type Value = <K extends keyof MoveValues>(name: K) => MoveValues[K]
  const changes = (value: Value) => ({
    current_phase: value('current_phase'),
    attempt_id: value('attempt_id'),
    updated_at: value('updated_at'),
    error: value('error'),
    result: sql<string | null>`coalesce(${value('result')}, result)`,
    history_hash: value('history_hash'),
    history_sequence: value('history_sequence'),
    ...(ends && { completed_at: value('completed_at') }),
  })
  if (!isHeld) {
    const move = prepare<MoveValues, unknown>((value) =>
      db
        .updateTable('workflows')
        .set({ status: value('status'), ...changes(value) })
        .where('id', '=', value('id'))
        .where('status', '=', value('expected_status'))
        .where('attempt_id', '=', value('expected_attempt_id')),
    )
    return async (tx: Kysely<Tables>, values: MoveValues) => (await move(tx, values)).numAffectedRows === 1n
  }
  const move = prepareWrite<MoveValues>((value) =>
    db
      .updateTable('workflows')
      .set({
        status: sql<WorkflowStatus>`case
          when status = ${value('expected_status')} and attempt_id = ${value('expected_attempt_id')}
          then ${value('status')} end`,
        ...changes(value),
      })
      .where('id', '=', value('id')),
  )
  return async (tx: Kysely<Tables>, values: MoveValues) => {
    await move(tx, values)
    return true
  }
}

export type Statements = ReturnType<typeof createStatements>

interface MoveValues {
  id: WorkflowId
  expected_status: WorkflowStatus
  expected_attempt_id: AttemptId
  status: WorkflowStatus
  current_phase: Phase
  attempt_id: AttemptId
  updated_at: string
  error: string | null
  completed_at: string | null
  history_hash: string
  /** Null leaves it as it is. */
  result: string | null
  history_sequence: number
}
