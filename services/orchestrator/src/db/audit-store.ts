import { ACTS, type ChainedRow } from '@orchestrator/audit'
import type { WorkflowId } from '@orchestrator/contract'
import { sql, type Kysely } from 'kysely'

import type { AuditStore, Chain } from '../core/audit-export.ts'
import type { Scope } from '../core/scope.ts'
import type { Tables } from './models.ts'
import type { EventSequence } from './postgres-sequence.ts'

/** The history as an auditor reads it: whole, with all that its chains cover. `horizon`: every event below is committed. */
export function createAuditStore(read: Kysely<Tables>, horizon?: EventSequence['horizon']): AuditStore {
  return {
    async listChains(after, limit, scope) {
      const chains: Chain[] = []
      for (const { creation, entry, words } of await listRows(read, after, limit, scope)) {
        if (chains.at(-1)?.creation.id !== creation.id) chains.push({ creation, rows: [] })
        if (entry !== null) chains.at(-1)?.rows.push({ ...entry, words })
      }
      return chains
    },

    async listLinks(after, limit) {
      const below = horizon === undefined ? sql`` : sql`and sequence < ${horizon}`
      const page = sql`where sequence > ${after} ${below} order by sequence limit ${limit}`
      const { rows } = await sql<{ workflow_id: string; sequence: number; hash: string }>`
        select * from (select workflow_id, sequence, hash from workflow_history ${page}) as history
        union all select * from (select cast(${ACTS} as text), sequence, hash from admin_acts ${page}) as acts
        order by sequence limit ${limit}`.execute(read)
      return rows
    },

    listActs: (after, limit) =>
      read
        .selectFrom('admin_acts')
        .selectAll()
        .where('sequence', '>', after)
        .orderBy('sequence')
        .limit(limit)
        .execute(),
  }
}

/** In one statement, so that a workflow and its rows are of one moment. */
async function listRows(read: Kysely<Tables>, after: string, limit: number, scope: Scope) {
  const rows = await read
    .selectFrom((eb) =>
      eb
        .selectFrom('workflows')
        .selectAll()
        .where('id', '>', after as WorkflowId)
        .$if(scope !== null, (of) => of.where('workspace', 'in', scope ?? []))
        .orderBy('id')
        .limit(limit)
        .as('w'),
    )
    .leftJoin('workflow_history as h', 'h.workflow_id', 'w.id')
    .leftJoin('history_words as t', 't.history_id', 'h.id')
    .select([
      'w.id as created_id',
      'w.workflow_type',
      'w.feature_id',
      'w.workspace',
      'w.retry_of',
      'w.created_by',
      'w.key_id as created_key_id',
      'w.request_id as created_request_id',
      'w.address as created_address',
      'w.created_at as created_created_at',
      'w.history_hash',
    ])
    .selectAll(['h', 't'])
    .orderBy('w.id')
    .orderBy('h.sequence')
    .execute()
  return rows.map(
    ({
      created_id,
      workflow_type,
      feature_id,
      workspace,
      retry_of,
      created_by,
      created_key_id,
      created_request_id,
      created_address,
      created_created_at,
      history_hash,
      history_id,
      salt,
      words,
      erased_at,
      erased_by,
      ...entry
    }) => ({
      creation: {
        id: created_id,
        workflow_type,
        feature_id,
        workspace,
        retry_of,
        created_by,
        key_id: created_key_id,
        request_id: created_request_id,
        address: created_address,
        created_at: created_created_at,
        history_hash,
      },
      entry: entry.id === null ? null : (entry as ChainedRow & { hash: string }),
      words: history_id === null ? null : { salt, words, erased_at, erased_by },
    }),
  )
}
