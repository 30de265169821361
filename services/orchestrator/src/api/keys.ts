import { createdKeySchema, createKeySchema, keyIdSchema, keyPageSchema, keySchema } from '@orchestrator/contract'
import { errorResponses, type Server } from '@orchestrator/server'
import * as z from 'zod'

import type { Keys } from '../core/keys.ts'
import { rolesFor } from '../core/privileges.ts'
import { askerOf } from './asker.ts'

/** Keys of people and machines: made, listed and revoked by an admin. */
export function keyRoutes(app: Server, { keys, onChange }: { keys: Keys; onChange: () => void }): void {
  const tags = ['keys']
  const config = { roles: rolesFor('manage_keys') }

  app.get(
    '/keys',
    {
      config,
      schema: { tags, summary: 'List keys, oldest first', response: { 200: keyPageSchema, ...errorResponses() } },
    },
    async () => ({ items: await keys.list(), next_cursor: null }),
  )

  app.post(
    '/keys',
    {
      config,
      schema: {
        tags,
        summary: 'Make a key; this answer alone tells it',
        body: createKeySchema,
        response: { 201: createdKeySchema, ...errorResponses('STORAGE_FULL') },
      },
    },
    async (request, reply) => {
      const key = await keys.issue(request.body, askerOf(request))
      onChange()
      return reply.code(201).header('cache-control', 'no-store').send(key)
    },
  )

  app.post(
    '/keys/:key_id/revoke',
    {
      config,
      schema: {
        tags,
        summary: 'Revoke a key at once, and end what it holds open',
        params: z.strictObject({ key_id: keyIdSchema }),
        response: { 200: keySchema, ...errorResponses('KEY_NOT_FOUND', 'LAST_ADMIN_KEY') },
      },
    },
    async (request) => {
      const key = await keys.revoke(request.params.key_id, askerOf(request))
      onChange()
      return key
    },
  )
}
