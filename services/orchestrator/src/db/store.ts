import {
  WORKFLOW_STATUSES,
  type Attempt,
  type AttemptId,
  type ListWorkflowsQuery,
  type StreamEvent,
  type WorkflowId,
} from '@orchestrator/contract'
import { sql, type RawBuilder } from 'kysely'

import { cursorOf } from '../core/cursor.ts'
import type { WorkflowStore } from '../core/ports.ts'
import { UnreadableRowError } from '../core/quarantine.ts'
import { DEFAULT_WORKSPACE, type Scope } from '../core/scope.ts'
import { createActs } from './act-store.ts'
import { counted } from './counted.ts'
import { eventOf, lastOfFeed, listFeed } from './event-feed.ts'
import { readAgain } from './read-again.ts'
import { attemptOf, reviewOf, selectWorkflows, historyItemOf, workflowOf } from './rows.ts'
import type { Session } from './session.ts'
import { createStatements } from './statements.ts'
import { createTransactions } from './transaction.ts'

const PAGE_DEFAULT = 50
/** Name of the counter that says up to which event they were removed. */
const REMOVED_EVENTS = 'removed_events'
/** Told of at most. */
const UNKNOWN_MAX = 200

/** The core's store over a session. `onUnreadable` hears of rows that make no sense: lists leave them out. */
export function createStore(
  session: Session,
  onUnreadable: (error: UnreadableRowError) => void = () => {},
): WorkflowStore {
  const { read, shared, nextSequence } = session
  const statements = createStatements(read, shared?.sequence)
  const listeners = new Set<() => void>()
  const tell = () => {
    for (const listener of listeners) listener()
  }
  const onEvents = shared === undefined ? tell : shared.followEvents(tell)
  const acts = createActs(session, onEvents)
  const begin = createTransactions({
    statements,
    counters: shared?.counters,
    nextSequence,
    onEvents,
    acts,
    is_shared: shared !== undefined,
  })
  const horizon = shared?.sequence.horizon
  const noting = <R, T>(rows: readonly R[], read: (row: R) => T): T[] =>
    rows.flatMap((row) => {
      try {
        return [read(row)]
      } catch (error) {
        if (!(error instanceof UnreadableRowError)) throw error
        onUnreadable(error)
        return []
      }
    })

  return {
    write: (fn) => session.write((tx) => fn(begin(tx))),

    async findWorkflow(id) {
      const { rows } = await statements.findWorkflow(read, { id })
      return rows[0] && workflowOf(rows[0])
    },

    async listWorkflows(query, scope = null) {
      const limit = query.limit ?? PAGE_DEFAULT
      const rows = await newestOf(scope, limit + 1, (workspace) => {
        const of = filtered(selectWorkflows(read), query)
        return (workspace === undefined ? of : of.where(inWorkspace('w.workspace', workspace)))
          .orderBy('w.sequence', 'desc')
          .limit(limit + 1)
          .execute()
      })
      const page = rows.slice(0, limit)
      return {
        items: noting(page, workflowOf),
        next_cursor: rows.length > limit ? String(page.at(-1)?.sequence) : null,
      }
    },

    async listHistory(id, after, limit) {
      const rows = await read
        .selectFrom('workflow_history as h')
        .leftJoin('history_words as w', 'w.history_id', 'h.id')
        .selectAll('h')
        .select('w.words')
        .where('h.workflow_id', '=', id)
        .where('h.sequence', '>', after)
        .orderBy('h.sequence')
        .limit(limit)
        .execute()
      return rows.map(historyItemOf)
    },

    listAttempts: (id) => listAttempts(session, id),

    async findFeature(id) {
      const feature = await read
        .selectFrom('features')
        .select(['id', 'workspace', 'description', 'created_at', 'updated_at'])
        .where('id', '=', id)
        .executeTakeFirst()
      if (feature === undefined) return undefined
      const workflows = await selectWorkflows(read).where('w.feature_id', '=', id).orderBy('w.sequence').execute()
      return { ...feature, workflows: noting(workflows, workflowOf) }
    },

    listFeatures: (before, limit, scope) =>
      newestOf(scope, limit, (workspace) => {
        const of = read
          .selectFrom('features')
          .select(['id', 'workspace', 'description', 'created_at', 'updated_at', 'sequence'])
          .where('sequence', '<', before)
        return (workspace === undefined ? of : of.where(inWorkspace('workspace', workspace)))
          .orderBy('sequence', 'desc')
          .limit(limit)
          .execute()
      }),

    async findArtifact(digest) {
      return read
        .selectFrom('artifacts')
        .select(['content', 'media_type', 'path'])
        .where('digest', '=', digest)
        .executeTakeFirst()
    },

    async listMissingArtifacts(digests) {
      if (digests.length === 0) return []
      const rows = await read.selectFrom('artifacts').select('digest').where('digest', 'in', digests).execute()
      const stored = new Set(rows.map((row) => row.digest))
      return digests.filter((digest) => !stored.has(digest))
    },

    async insertArtifact({ digest, path, media_type }, content) {
      await session.write((tx) =>
        tx
          .insertInto('artifacts')
          .values({ digest, path, media_type, content })
          .onConflict((conflict) => conflict.column('digest').doNothing())
          .execute(),
      )
    },

    async listEvents({ limit, ...page }) {
      const events: StreamEvent[] = []
      for (let { after } = page; ;) {
        const wanted = limit - events.length
        const rows = await listFeed(read, { ...page, after, limit: wanted, horizon })
        events.push(...noting(rows, eventOf))
        if (rows.length < wanted || events.length === limit) return events
        after = rows.at(-1)?.sequence ?? after
      }
    },

    async lastSequence() {
      const { last } = await read.selectNoFrom(lastOfFeed(horizon).as('last')).executeTakeFirstOrThrow()
      return last
    },

    deleteEventsBefore: (created_before, limit) =>
      session.write(async (tx) => {
        const oldest = await tx
          .selectFrom('events')
          .select(['sequence', 'created_at'])
          .orderBy('sequence')
          .limit(limit)
          .execute()
        // Up to the first that is young enough: clocks of several machines may differ a little.
        const young = oldest.findIndex((event) => event.created_at >= created_before)
        const count = young === -1 ? oldest.length : young
        const last = oldest[count - 1]?.sequence
        if (last === undefined) return 0
        await tx.deleteFrom('events').where('sequence', '<=', last).execute()
        await tx
          .insertInto('counters')
          .values({ name: REMOVED_EVENTS, value: last })
          .onConflict((conflict) => conflict.column('name').doUpdateSet({ value: last }))
          .execute()
        return count
      }),

    deleteIdempotentAnswersBefore: (created_before, limit) =>
      session.write(async (tx) => {
        const deleted = await tx
          .deleteFrom('idempotent_answers')
          .where('key', 'in', (old) =>
            old
              .selectFrom('idempotent_answers')
              .select('key')
              .where('created_at', '<', created_before)
              .orderBy('created_at')
              .limit(limit),
          )
          .executeTakeFirst()
        return Number(deleted.numDeletedRows)
      }),

    async removedUpTo() {
      const row = await read
        .selectFrom('counters')
        .select('value')
        .where('name', '=', REMOVED_EVENTS)
        .executeTakeFirst()
      return row?.value ?? 0
    },

    async readUnknownStatuses() {
      const known = WORKFLOW_STATUSES.toSorted()
      // Between and beside the known ones: ranges of the index, where "not in" would read all there is.
      const rows = await selectWorkflows(read)
        .where((eb) =>
          eb.or([
            ...known.map((status, at) =>
              eb.and([
                eb('w.status', '<', status),
                ...known.slice(at - 1, at).map((before) => eb('w.status', '>', before)),
              ]),
            ),
            ...known.slice(-1).map((last) => eb('w.status', '>', last)),
          ]),
        )
        .limit(UNKNOWN_MAX)
        .execute()
      noting(rows, workflowOf)
    },

    readAgain: (row) => readAgain(read, row, horizon),

    async listCancellations() {
      return read
        .selectFrom('hub_cancellations as c')
        .innerJoin('attempts as a', 'a.id', 'c.attempt_id')
        .select(['c.attempt_id', 'a.invocation_id'])
        .execute()
    },

    async describeReviews() {
      const reviewable = sql`workflows where status = 'waiting_approval'`
      const oldest = sql<{ at: string | null }>`
        select min(updated_at) as at
        from (select updated_at from ${reviewable} order by sequence limit 1000) as oldest`
      const [waiting, { rows }] = await Promise.all([counted(read, reviewable), oldest.execute(read)])
      return { waiting, oldest_at: rows[0]?.at ?? null }
    },

    onEvents(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

/** The indexes leave the default workspace out, so that others have to say that they are not it. */
function inWorkspace(column: 'workspace' | 'w.workspace', workspace: string): RawBuilder<boolean> {
  const is = sql<boolean>`${sql.ref(column)} = ${workspace}`
  return workspace === DEFAULT_WORKSPACE ? is : sql<boolean>`(${is} and ${sql.ref(column)} <> 'default')`
}

/** Of several workspaces a page each, by an index: what others have is not gone through. */
async function newestOf<R extends { sequence: number }>(
  scope: Scope,
  limit: number,
  list: (workspace?: string) => Promise<R[]>,
): Promise<R[]> {
  if (scope === null) return list()
  const pages = await Promise.all(scope.map((workspace) => list(workspace)))
  return pages
    .flat()
    .toSorted((a, b) => b.sequence - a.sequence)
    .slice(0, limit)
}

/** Newest first; the cursor is the sequence of the last row seen. Throws VALIDATION_ERROR for a cursor that is none. */
function filtered(select: ReturnType<typeof selectWorkflows>, query: ListWorkflowsQuery): typeof select {
  let rows = select
  if (query.status !== undefined) rows = rows.where('w.status', '=', query.status)
  if (query.workflow_type !== undefined) rows = rows.where('w.workflow_type', '=', query.workflow_type)
  if (query.feature_id !== undefined) rows = rows.where('w.feature_id', '=', query.feature_id)
  const before = cursorOf(query.cursor)
  if (before !== undefined) rows = rows.where('w.sequence', '<', before)
  if (query.q === undefined) return rows
  const pattern = `%${query.q.replace(/[\\%_]/g, String.raw`\$&`)}%`
  const like = (column: 'feature_description' | 'feature_id') =>
    sql<boolean>`lower(${sql.ref(`w.${column}`)}) like lower(${pattern}) escape '\\'`
  return rows.where((eb) => eb.or([like('feature_description'), like('feature_id')]))
}

async function listAttempts({ read }: Session, id: WorkflowId): Promise<Attempt[]> {
  const attempts = await read
    .selectFrom('attempts')
    .selectAll()
    .where('workflow_id', '=', id)
    .orderBy('position')
    .execute()
  const artifacts = await read
    .selectFrom('attempt_artifacts as aa')
    .innerJoin('attempts as a', 'a.id', 'aa.attempt_id')
    .selectAll('aa')
    .where('a.workflow_id', '=', id)
    .orderBy('aa.path')
    .execute()
  const reviews = await read.selectFrom('reviews').selectAll().where('workflow_id', '=', id).execute()
  const threads = await read
    .selectFrom('review_threads')
    .selectAll()
    .where('workflow_id', '=', id)
    .orderBy('position')
    .execute()
  const artifactsOf = Map.groupBy(artifacts, (artifact) => artifact.attempt_id)
  const threadsOf = Map.groupBy(threads, (thread) => thread.review_id)
  const reviewByAttempt = new Map<AttemptId, ReturnType<typeof reviewOf>>(
    reviews.map((review) => [review.attempt_id, reviewOf(review, threadsOf.get(review.id) ?? [])]),
  )
  return attempts.map((row) => attemptOf(row, artifactsOf.get(row.id) ?? [], reviewByAttempt.get(row.id) ?? null))
}
