import type { Feedback, JsonObject, Workflow, WorkflowId } from '@orchestrator/contract'
import { afterCommit } from '@orchestrator/sqlite'
import { sql, type Kysely, type QueryResult, type Transaction } from 'kysely'

import { budgetOf } from '../core/budgets.ts'
import type { Handover, WorkflowTransaction } from '../core/ports.ts'
import type { Acts } from './act-store.ts'
import type { Tables } from './models.ts'
import { noteTransaction } from './note-store.ts'
import { reviewTransaction } from './review-transaction.ts'
import { OutOfOrderError } from './out-of-order.ts'
import { parseJson, reading, toJson, workflowOf } from './rows.ts'
import type { FoundWorkflow, Statements } from './statements.ts'

export interface TransactionsOptions {
  statements: Statements
  /** Where feature numbers are taken, if not within the transaction. */
  counters: Kysely<Tables> | undefined
  nextSequence: (() => number) | undefined
  /** Called once for each transaction, after its commit, when there is something to tell. */
  onEvents: () => void
  acts: Pick<Acts, 'append'>
  /** Postgres, where other transactions are at work at the same time. */
  is_shared: boolean
}

/** Seeds, so that a lock on one kind of name is none on another kind. */
const WORKSPACES = 0
const IDEMPOTENCY_KEYS = 1

/** What a transaction knows of a workflow beside what it answers. */
interface Seen {
  hash: string
  sequence: number
  handover: Handover
}

/**
 * The core's transaction over Kysely's. SQLite's writer begins one after the other on the same object, which is
 * dressed once: two dozen methods anew for every write would cost as much as a statement.
 */
export function createTransactions(o: TransactionsOptions): (tx: Transaction<Tables>) => WorkflowTransaction {
  const dressed = new WeakMap<Transaction<Tables>, ReturnType<typeof dress>>()
  return (tx) => {
    const { begin, transaction } = dressed.get(tx) ?? dress(tx, o)
    dressed.set(tx, { begin, transaction })
    begin()
    return transaction
  }
}

function dress(
  tx: Transaction<Tables>,
  { statements, counters = tx, nextSequence, onEvents, acts, is_shared }: TransactionsOptions,
) {
  const held = new Set<WorkflowId>()
  const seen = new Map<WorkflowId, Seen>()
  /** On Postgres the places of this transaction begin here, once that is known. */
  let first_sequence: number | undefined
  let told = 0

  const begin = () => {
    held.clear()
    seen.clear()
    first_sequence = undefined
    told = 0
  }

  const lock = async (locked: Promise<QueryResult<{ first_sequence: number }>> | undefined) => {
    first_sequence ??= (await locked)?.rows[0]?.first_sequence
  }

  const takeSequence = async (): Promise<number> => {
    const index = told++
    if (index === 0) afterCommit(tx, onEvents)
    if (nextSequence !== undefined) return nextSequence()
    if (first_sequence === undefined) await lock(statements.firstSequence?.(tx, {}))
    if (first_sequence === undefined) throw new Error('this transaction has no place in the event feed')
    return first_sequence + index
  }

  const remember = (row: FoundWorkflow): Workflow => {
    const handover = {
      session_id: row.session_id,
      has_notes: row.notes > 0,
      has_open_threads: Boolean(row.has_open_threads),
    }
    seen.set(row.id, { hash: row.history_hash, sequence: row.history_sequence, handover })
    return workflowOf(row)
  }

  const findWorkflow: WorkflowTransaction['findWorkflow'] = async (id) => {
    // The second statement sees what was committed while the first one waited.
    const locked = held.has(id) ? undefined : lock(statements.lockWorkflow?.(tx, { id }))
    const [{ rows }] = await Promise.all([statements.findWorkflow(tx, { id }), locked])
    held.add(id)
    const [row] = rows
    if (row === undefined) return undefined
    return remember(row)
  }

  const seenOf = (id: WorkflowId): Seen => {
    const workflow = seen.get(id)
    if (workflow === undefined) throw new Error(`this transaction has not seen workflow ${id}`)
    return workflow
  }

  const transaction: WorkflowTransaction = {
    afterCommit: (hook) => afterCommit(tx, hook),

    findWorkflow,
    takeSequence,

    ...noteTransaction(tx),
    ...reviewTransaction(tx, statements),

    recordAct: (act) => acts.append(tx, act),

    async addSpending(feature_id, day, usd) {
      await tx
        .insertInto('budgets')
        .values([budgetOf.feature(feature_id), budgetOf.day(day)].map((name) => ({ name, spent_usd: usd })))
        .onConflict((conflict) =>
          conflict.column('name').doUpdateSet((eb) => ({ spent_usd: eb('budgets.spent_usd', '+', usd) })),
        )
        .execute()
    },

    async liftBudget({ name, ...lift }) {
      await tx
        .insertInto('budgets')
        .values({ name, spent_usd: 0, ...lift })
        .onConflict((conflict) => conflict.column('name').doUpdateSet(lift))
        .execute()
    },

    async countRunning(workspace, most) {
      if (is_shared) await sql`select pg_advisory_xact_lock(hashtextextended(${workspace}, ${WORKSPACES}))`.execute(tx)
      const { rows } = await sql<{ count: number }>`
        select count(*) as count from (
          select 1 from workflows where workspace = ${workspace} and completed_at is null limit ${most}) as running`.execute(
        tx,
      )
      return rows[0]?.count ?? 0
    },

    async findFeature(id) {
      const [row] = (await statements.findFeature(tx, { id })).rows
      if (row === undefined) return undefined
      const { ticks_to_apply, ...feature } = row
      return { ...feature, has_ticks: ticks_to_apply === 1 }
    },

    async findActiveWorkflow(feature_id) {
      const row = await tx
        .selectFrom('workflows')
        .select('id')
        .where('feature_id', '=', feature_id)
        .where('completed_at', 'is', null)
        .executeTakeFirst()
      return row?.id
    },

    async takeFeatureNumber(floor) {
      const [{ rows }] = await Promise.all([
        statements.takeFeatureNumber(counters, { floor, after_floor: floor + 1 }),
        // Whoever creates needs a place in the feed too, which is asked for on another connection.
        first_sequence === undefined ? lock(statements.firstSequence?.(tx, {})) : undefined,
      ])
      const [counter] = rows
      if (counter === undefined) throw new Error('the counter of feature numbers is missing')
      return counter.value
    },

    async insertFeature(feature) {
      await statements.insertFeature(tx, feature)
    },

    async touchFeature(id, updated_at) {
      await tx.updateTable('features').set({ updated_at }).where('id', '=', id).execute()
    },

    async insertWorkflow({ context, result, ...columns }, more) {
      const values = { ...columns, context: toJson(context), result: toJson(result), ...more }
      held.add(values.id)
      const handover = { session_id: null, has_notes: false, has_open_threads: false }
      seen.set(values.id, { hash: more.history_hash, sequence: 0, handover })
      await statements.insertWorkflow(tx, values)
    },

    historyHash: (id) => seenOf(id).hash,
    handover: (id) => seenOf(id).handover,

    async moveWorkflow(expected, { result, ...change }) {
      const last = seenOf(expected.id)
      if (change.history_sequence <= last.sequence) throw new OutOfOrderError()
      const { id, status: expected_status, attempt_id: expected_attempt_id } = expected
      const move = change.completed_at === null ? statements.moveWorkflow : statements.endWorkflow
      const values = { id, expected_status, expected_attempt_id, ...change, result: toJson(result) }
      if (!(await move(tx, values))) return false
      seen.set(id, { ...last, hash: change.history_hash, sequence: change.history_sequence })
      return true
    },

    async insertEntry(entry, words) {
      await statements.insertEntry(tx, entry)
      if (words !== undefined) await statements.insertWords(tx, words)
    },

    async insertAttempt({ feedback, ...columns }) {
      await statements.insertAttempt(tx, { ...columns, feedback: toJson(feedback) })
    },

    async findWork(attempt_id) {
      const locked = lock(statements.lockWorkflowOf?.(tx, { id: attempt_id }))
      const [{ rows }] = await Promise.all([statements.findWork(tx, { id: attempt_id }), locked])
      const [row] = rows
      if (row === undefined) return undefined
      held.add(row.id)
      const { phase, number, tries, attempt_agent: agent, invocation_id, session_id, hub_sequence, traceparent } = row
      return {
        workflow: remember(row),
        attempt_id,
        phase,
        number,
        tries,
        agent,
        invocation_id,
        feedback: reading('attempt', attempt_id, row.id, () => parseJson<Feedback>(row.feedback)),
        session_id,
        hub_sequence,
        traceparent,
      }
    },

    async beginAttempt(id, { tries, started_at }) {
      await statements.beginAttempt(tx, { id, tries, started_at })
    },

    async changeAttempt(id, from, change) {
      const { numAffectedRows } = await statements.changeAttempt(tx, id, from, change)
      return numAffectedRows === 1n
    },

    async backOffAttempt({ attempt_id, tries }, wait) {
      const { numAffectedRows } = await statements.backOffAttempt(tx, { attempt_id, tries, ...wait })
      return numAffectedRows === 1n
    },

    async noteUpdates({ attempt_id, tries }, hub_sequence) {
      const { numAffectedRows } = await statements.noteUpdates(tx, { attempt_id, tries, hub_sequence })
      return numAffectedRows === 1n
    },

    async noteInvocation(id, agent, invocation_id) {
      return (await statements.noteInvocation(tx, { id, agent, invocation_id })).rows[0]?.state
    },

    async finishAttempt(id, end) {
      const { outcome } = end
      await statements.finishAttempt(tx, {
        id,
        state: end.state,
        reason: end.reason,
        finished_at: end.finished_at,
        agent: outcome?.agent ?? null,
        digest: outcome?.digest ?? null,
        output: outcome?.output ?? null,
        confidence: outcome?.confidence ?? null,
        session_id: outcome?.session_id ?? null,
        uncertainty_reasons: JSON.stringify(outcome?.uncertainty_reasons ?? []),
        checks: JSON.stringify(outcome?.checks ?? []),
        usage: toJson(outcome?.usage ?? end.usage),
      })
      if (outcome === undefined || outcome.artifacts.length === 0) return
      await tx
        .insertInto('attempt_artifacts')
        .values(outcome.artifacts.map((artifact) => ({ attempt_id: id, ...artifact })))
        .execute()
    },

    async appendEvent({ type, workflow_id, created_at, data }) {
      const sequence = await takeSequence()
      const row = { sequence, type, created_at, workflow_id: workflow_id ?? ('' as const), data: JSON.stringify(data) }
      await statements.insertEvent(tx, row)
    },

    async insertCancellation(attempt_id) {
      await tx
        .insertInto('hub_cancellations')
        .values({ attempt_id })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },

    async deleteCancellation(attempt_id) {
      await tx.deleteFrom('hub_cancellations').where('attempt_id', '=', attempt_id).execute()
    },

    async claimIdempotencyKey(key) {
      if (!is_shared) return true
      const { rows } = await sql<{ claimed: boolean }>`
        select pg_try_advisory_xact_lock(hashtextextended(${key}, ${IDEMPOTENCY_KEYS})) as claimed`.execute(tx)
      return rows[0]?.claimed === true
    },

    async findIdempotentAnswer(key) {
      const row = await tx
        .selectFrom('idempotent_answers')
        .select(['body_digest', 'answer'])
        .where('key', '=', key)
        .executeTakeFirst()
      return row && { body_digest: row.body_digest, answer: JSON.parse(row.answer) as JsonObject }
    },

    async insertIdempotentAnswer(key, body_digest, answer, created_at) {
      await tx
        .insertInto('idempotent_answers')
        .values({ key, body_digest, answer: JSON.stringify(answer), created_at })
        .execute()
    },
  }
  transactions.set(transaction, tx)
  return { begin, transaction }
}

const transactions = new WeakMap<WorkflowTransaction, Transaction<Tables>>()

/** The database's transaction below the core's, for an adapter that takes part in it. */
export function databaseTransaction(transaction: WorkflowTransaction): Transaction<Tables> {
  const tx = transactions.get(transaction)
  if (tx === undefined) throw new Error('this transaction was not begun by the store')
  return tx
}
