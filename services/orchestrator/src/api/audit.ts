import { Readable } from 'node:stream'
import { adminActPageSchema, denialPageSchema, erasureSchema, eraseWordsSchema } from '@orchestrator/contract'
import { contentResponse, errorResponses, pageQuerySchema, type Server } from '@orchestrator/server'

import type { ActStore } from '../core/acts.ts'
import { exportLines, type AuditStore } from '../core/audit-export.ts'
import { cursorOf } from '../core/cursor.ts'
import type { DenialStore } from '../core/denials.ts'
import { eraseWords, type ErasureStore } from '../core/erasure.ts'
import { rolesFor } from '../core/privileges.ts'
import { askerOf } from './asker.ts'

export interface AuditRoutesOptions {
  acts: ActStore
  audit: AuditStore
  denials: Pick<DenialStore, 'listDenials'>
  erasures: ErasureStore
  now: () => Date
}

/** For whoever checks what was done, and by whom. */
export function auditRoutes(app: Server, { audit, acts, denials, erasures, now }: AuditRoutesOptions): void {
  app.get(
    '/audit/export',
    {
      config: { roles: rolesFor('audit'), scope: 'limited' },
      schema: {
        tags: ['audit'],
        summary: 'The whole history with its chain, one JSON object a line, for `orchestrator audit verify`',
        response: { ...contentResponse('application/x-ndjson', 'One JSON object a line'), ...errorResponses() },
      },
    },
    (request, reply) =>
      reply
        .header('content-type', 'application/x-ndjson; charset=utf-8')
        .header('cache-control', 'no-store')
        .send(Readable.from(exportLines(audit, now(), request.actor.workspaces), { objectMode: false })),
  )

  app.get(
    '/audit/denials',
    {
      config: { roles: rolesFor('audit') },
      schema: {
        tags: ['audit'],
        summary: 'Attempts that were refused, newest first; a second late, and the latest 10,000',
        querystring: pageQuerySchema,
        response: { 200: denialPageSchema, ...errorResponses() },
      },
    },
    ({ query }) => pageOf(query, (before, limit) => denials.listDenials(before, limit)),
  )

  app.post(
    '/audit/erase',
    {
      config: { roles: rolesFor('erase') },
      schema: {
        tags: ['audit'],
        summary: 'Erase what a person wrote, and their name but in the chain, which still holds',
        body: eraseWordsSchema,
        response: { 200: erasureSchema, ...errorResponses('STORAGE_FULL') },
      },
    },
    (request) => eraseWords(erasures, request.body.name, askerOf(request), now()),
  )

  app.get(
    '/audit/acts',
    {
      config: { roles: rolesFor('audit') },
      schema: {
        tags: ['audit'],
        summary: 'What admins did to keys, policies, the queue, budgets and words, newest first',
        querystring: pageQuerySchema,
        response: { 200: adminActPageSchema, ...errorResponses() },
      },
    },
    ({ query }) => pageOf(query, (before, limit) => acts.listActs(before, limit)),
  )
}

/** Newest first; the cursor is the last sequence seen. */
async function pageOf<R extends { sequence: number }>(
  { cursor, limit }: { cursor?: string | undefined; limit: number },
  list: (before: number, limit: number) => Promise<R[]>,
) {
  const rows = await list(cursorOf(cursor) ?? Number.MAX_SAFE_INTEGER, limit + 1)
  const items = rows.slice(0, limit)
  return { items, next_cursor: rows.length > limit ? String(items.at(-1)?.sequence) : null }
}
