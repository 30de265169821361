import type { FeatureId, InvocationEvent } from '@orchestrator/contract'
import type { Database } from '@orchestrator/sqlite'
import { sql, type Transaction } from 'kysely'

import type { AgentProcess } from '../core/ports.ts'
import { toInvocation, type InvocationStore } from '../core/store.ts'
import { readEvent, readInvocation, readSession } from './invocation-rows.ts'
import type { Tables } from './tables.ts'

const EVENTS_PAGE = 500

const NOT_BEGUN = {
  status: 'queued',
  prepared: null,
  response: null,
  session_id: null,
  process_pid: null,
  process_started: null,
  cancel_requested_at: null,
  runs: 0,
  started_at: null,
  finished_at: null,
}

/** A session that nobody closed and no process is known of. */
export const OPEN = { closed_at: null, process_pid: null, process_started: null }

/** The hub's memory in SQLite. `homeDirectory` is recorded with each session, so that its files can be found by hand. */
export function createInvocationStore(
  database: Database<Tables>,
  homeDirectory: (session_id: string) => string,
): InvocationStore {
  const { read } = database
  const findOne = async (column: 'id' | 'idempotency_key', value: string) => {
    const row = await read.selectFrom('invocations').selectAll().where(column, '=', value).executeTakeFirst()
    return row && readInvocation(row)
  }

  return {
    findInvocation: async (id) => findOne('id', id),
    findInvocationByKey: async (idempotency_key) => findOne('idempotency_key', idempotency_key),

    createInvocation: async (record) =>
      database.write(async (tx) => {
        await tx
          .insertInto('invocations')
          .values({ ...record, ...NOT_BEGUN, request: JSON.stringify(record.request) })
          .onConflict((conflict) => conflict.column('idempotency_key').doNothing())
          .execute()
        const stored = tx.selectFrom('invocations').selectAll()
        const mine = await stored.where('id', '=', record.id).executeTakeFirst()
        return readInvocation(
          mine ?? (await stored.where('idempotency_key', '=', record.idempotency_key).executeTakeFirstOrThrow()),
        )
      }),

    async listQueued() {
      const queued = read.selectFrom('invocations').where('status', '=', 'queued')
      const rows = await queued
        .select(['id', 'agent', 'workspace', 'feature_id'])
        .orderBy(sql`position`)
        .execute()
      return rows.map((row) => ({ ...row, feature_id: row.feature_id as FeatureId }))
    },

    startInvocation: async (id, session, now, agent_process) =>
      database.write(async (tx) => {
        const queued = tx.selectFrom('invocations').select('id').where('id', '=', id).where('status', '=', 'queued')
        if ((await queued.executeTakeFirst()) === undefined) return undefined
        const kept = { ...session, home: homeDirectory(session.id), updated_at: now, ...OPEN }
        await tx
          .insertInto('sessions')
          .values(kept)
          .onConflict((conflict) => conflict.column('id').doUpdateSet({ updated_at: now }))
          .execute()
        const row = await tx
          .updateTable('invocations')
          .set((eb) => ({
            status: 'running',
            session_id: session.id,
            runs: eb('runs', '+', 1),
            started_at: eb.fn.coalesce('started_at', eb.val(now)),
            ...(agent_process !== undefined && columnsOf(agent_process)),
          }))
          .where('id', '=', id)
          .returningAll()
          .executeTakeFirstOrThrow()
        return readInvocation(row)
      }),

    requeueInterrupted: async () =>
      database.write(async (tx) => {
        const update = tx.updateTable('invocations').set({ status: 'queued' }).where('status', '=', 'running')
        return Number((await update.executeTakeFirst()).numUpdatedRows)
      }),

    requestCancel: async (id, now) =>
      database.write(async (tx) => {
        await tx
          .updateTable('invocations')
          .set((eb) => ({ cancel_requested_at: eb.fn.coalesce('cancel_requested_at', eb.val(now)) }))
          .where('id', '=', id)
          .where('status', 'in', ['queued', 'running'])
          .execute()
      }),

    prepareInvocation: async (id, prepared, artifacts) =>
      database.write(async (tx) => {
        const created_at = new Date().toISOString()
        for (const { digest, bytes } of artifacts) {
          await tx
            .insertInto('artifacts')
            .values({ digest, bytes, size: bytes.byteLength, created_at })
            .onConflict((conflict) => conflict.column('digest').doNothing())
            .execute()
        }
        await tx
          .updateTable('invocations')
          .set({ prepared: JSON.stringify(prepared) })
          .where('id', '=', id)
          .where('status', '=', 'running')
          .execute()
      }),

    finishInvocation: async (id, from, { status, response, now }) =>
      database.write(async (tx) => {
        const row = await tx
          .updateTable('invocations')
          .set({ status, response: JSON.stringify(response), prepared: null, finished_at: now })
          .where('id', '=', id)
          .where('status', '=', from)
          .returningAll()
          .executeTakeFirst()
        if (row === undefined) return false
        await appendEvents(tx, id, now, [{ type: 'invocation.finished', data: toInvocation(readInvocation(row)) }])
        return true
      }),

    appendUpdates: async (id, updates, now) =>
      database.write(async (tx) => {
        const events = updates.map((data) => ({ type: 'agent.update' as const, data }))
        await appendEvents(tx, id, now, events)
      }),

    async listEvents(id, after) {
      const rows = read.selectFrom('invocation_events').selectAll().where('invocation_id', '=', id)
      const page = rows.where('sequence', '>', after).orderBy('sequence').limit(EVENTS_PAGE)
      return (await page.execute()).map(readEvent)
    },

    deleteEvents: async ({ since, before }, limit) =>
      database.write(async (tx) => {
        const old = tx
          .selectFrom('invocations')
          .innerJoin('invocation_events', 'invocation_id', 'invocations.id')
          .select(['invocation_id', 'sequence'])
          .where('finished_at', '>=', since)
          .where('finished_at', '<', before)
          .limit(limit)
          .$asTuple('invocation_id', 'sequence')
        const deletion = tx
          .deleteFrom('invocation_events')
          .where(({ eb, refTuple }) => eb(refTuple('invocation_id', 'sequence'), 'in', old))
        return Number((await deletion.executeTakeFirst()).numDeletedRows)
      }),

    async findSession(id) {
      const row = await read
        .selectFrom('sessions')
        .selectAll()
        .where('id', '=', id)
        .where('closed_at', 'is', null)
        .executeTakeFirst()
      return row && readSession(row)
    },

    saveAcpSession: async (id, acp_session_id) =>
      database.write(async (tx) => {
        await tx.updateTable('sessions').set({ acp_session_id }).where('id', '=', id).execute()
      }),

    recordProcess: async (id, agent_process) =>
      database.write(async (tx) => {
        await tx.updateTable('invocations').set(columnsOf(agent_process)).where('id', '=', id).execute()
      }),

    async listProcesses() {
      const columns = ['process_pid as pid', 'process_started as started'] as const
      const rows = await read
        .selectFrom('invocations')
        .select(columns)
        .where('process_pid', 'is not', null)
        .unionAll(read.selectFrom('sessions').select(columns).where('process_pid', 'is not', null))
        .$narrowType<{ pid: number; started: string }>()
        .execute()
      return rows.map(({ pid, started }) => ({ pid, started }))
    },

    forgetProcesses: async (finished_before) =>
      database.write(async (tx) => {
        const none = { process_pid: null, process_started: null }
        const all = tx.updateTable('invocations').set(none).where('process_pid', 'is not', null)
        await (finished_before === undefined ? all : all.where('finished_at', '<', finished_before)).execute()
        // Those of questions and verify commands are few, and go when the hub has ended them all.
        if (finished_before !== undefined) return
        await tx.updateTable('sessions').set(none).where('process_pid', 'is not', null).execute()
      }),

    async findArtifact(digest) {
      const row = await read.selectFrom('artifacts').select('bytes').where('digest', '=', digest).executeTakeFirst()
      return row?.bytes
    },
  }
}

const columnsOf = ({ pid, started }: AgentProcess) => ({ process_pid: pid, process_started: started })

/** Numbered from 1 within the invocation, in the commit that makes them visible. */
async function appendEvents(
  tx: Transaction<Tables>,
  invocation_id: string,
  created_at: string,
  events: readonly Pick<InvocationEvent, 'type' | 'data'>[],
): Promise<void> {
  const last = await tx
    .selectFrom('invocation_events')
    .select((eb) => eb.fn.max('sequence').as('sequence'))
    .where('invocation_id', '=', invocation_id)
    .executeTakeFirst()
  let sequence = last?.sequence ?? 0
  for (const { type, data } of events) {
    sequence += 1
    const row = { invocation_id, sequence, type, data: JSON.stringify(data), created_at }
    await tx.insertInto('invocation_events').values(row).execute()
  }
}
