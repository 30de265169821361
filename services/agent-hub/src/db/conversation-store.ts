import { escalationSchema, exchangeSchema, type Escalation } from '@orchestrator/contract'
import type { Database } from '@orchestrator/sqlite'

import type { ConversationStore } from '../core/conversation-store.ts'
import { OPEN } from './invocation-store.ts'
import type { Tables } from './tables.ts'

export function createConversationStore(
  database: Database<Tables>,
  homeDirectory: (session_id: string) => string,
): ConversationStore {
  const { read } = database
  return {
    createSession: async (session) =>
      database.write(async (tx) => {
        const row = { ...session, home: homeDirectory(session.id), updated_at: session.created_at, ...OPEN }
        await tx.insertInto('sessions').values(row).execute()
      }),

    async findSessionUse(id) {
      const session = read.selectFrom('sessions').select('updated_at').where('id', '=', id)
      return (await session.where('closed_at', 'is', null).executeTakeFirst())?.updated_at
    },

    useSession: async (id, now) =>
      database.write(async (tx) => {
        await tx.updateTable('sessions').set({ updated_at: now }).where('id', '=', id).execute()
      }),

    async countUnfinished(session_id) {
      const row = await read
        .selectFrom('invocations')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .where('session_id', '=', session_id)
        .where('status', 'in', ['queued', 'running'])
        .executeTakeFirstOrThrow()
      return row.count
    },

    closeSession: async (id, now) =>
      database.write(async (tx) => {
        const closed = { closed_at: now, acp_session_id: null }
        await tx.updateTable('sessions').set(closed).where('id', '=', id).where('closed_at', 'is', null).execute()
      }),

    async listSessionsUsedSince(since) {
      const used = read.selectFrom('sessions').select('id').where('updated_at', '>=', since)
      return (await used.execute()).map(({ id }) => id)
    },

    forgetAcpSessions: async (unused_since) =>
      database.write(async (tx) => {
        const stale = tx.updateTable('sessions').set({ acp_session_id: null }).where('updated_at', '<', unused_since)
        await stale.where('acp_session_id', 'is not', null).execute()
      }),

    recordSessionProcess: async (id, agent_process) =>
      database.write(async (tx) => {
        const columns = {
          process_pid: agent_process?.pid ?? null,
          process_started: agent_process?.started ?? null,
        }
        await tx.updateTable('sessions').set(columns).where('id', '=', id).execute()
      }),

    recordExchange: async (exchange) =>
      database.write(async (tx) => {
        await tx.insertInto('exchanges').values(exchange).execute()
      }),

    async listExchanges({ feature_id, after, limit }) {
      const all = read.selectFrom('exchanges').selectAll().where('sequence', '>', after)
      const wanted = feature_id === undefined ? all : all.where('feature_id', '=', feature_id)
      const rows = await wanted.orderBy('sequence').limit(limit).execute()
      return rows.map((row) => ({ sequence: row.sequence, item: exchangeSchema.parse(row) }))
    },

    createEscalation: async (escalation) =>
      database.write(async (tx) => {
        await tx.insertInto('escalations').values(escalation).execute()
      }),

    async findEscalation(id) {
      const row = await read.selectFrom('escalations').selectAll().where('id', '=', id).executeTakeFirst()
      return row && readEscalation(row)
    },

    async listEscalations({ status, feature_id, after, limit }) {
      let wanted = read.selectFrom('escalations').selectAll().where('sequence', '>', after)
      if (status !== undefined) wanted = wanted.where('status', '=', status)
      if (feature_id !== undefined) wanted = wanted.where('feature_id', '=', feature_id)
      const rows = await wanted.orderBy('sequence').limit(limit).execute()
      return rows.map((row) => ({ sequence: row.sequence, item: readEscalation(row) }))
    },

    changeEscalation: async (id, change) =>
      database.write(async (tx) => {
        const pending = tx.updateTable('escalations').set(change).where('id', '=', id).where('status', '=', 'pending')
        const row = await pending.returningAll().executeTakeFirst()
        return row && readEscalation(row)
      }),
  }
}

const readEscalation = (row: unknown): Escalation => escalationSchema.parse(row)
