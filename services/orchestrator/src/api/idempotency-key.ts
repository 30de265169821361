import * as z from 'zod'

import type { Idempotency } from '../core/idempotency.ts'
import { digestOf } from '../core/outcome.ts'

/** The header of every POST that starts or decides. */
export const idempotencyHeadersSchema = z.object({
  'idempotency-key': z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('The same key with the same body gets the same answer and does nothing twice'),
})

/** The request's key, bound to who asks and to the route, so that nobody meets another's. */
export function idempotencyOf(request: {
  headers: { 'idempotency-key'?: string | undefined }
  body: unknown
  url: string
  actor: { name: string; key_id: string | null }
}): Idempotency | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined) return undefined
  const { key_id, name } = request.actor
  const body_digest = digestOf(request.body ?? null)
  return { key: `${key_id ?? name} ${request.url.split('?')[0]} ${key}`, body_digest }
}
