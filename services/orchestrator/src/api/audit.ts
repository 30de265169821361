import { Readable } from 'node:stream'
import { denialPageSchema } from '@orchestrator/contract'
import { contentResponse, errorResponses, pageQuerySchema, type Server } from '@orchestrator/server'

import { exportLines, type AuditStore } from '../core/audit-export.ts'
import { cursorOf } from '../core/cursor.ts'
import type { DenialStore } from '../core/denials.ts'
import { rolesFor } from '../core/privileges.ts'

export interface AuditRoutesOptions {
  audit: AuditStore
  denials: Pick<DenialStore, 'listDenials'>
  now: () => Date
}

/** For whoever checks what was done, and by whom. */
export function auditRoutes(app: Server, { audit, denials, now }: AuditRoutesOptions): void {
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
    async ({ query: { cursor, limit } }) => {
      const rows = await denials.listDenials(cursorOf(cursor) ?? Number.MAX_SAFE_INTEGER, limit + 1)
      const items = rows.slice(0, limit)
      return { items, next_cursor: rows.length > limit ? String(items.at(-1)?.sequence) : null }
    },
  )
}
