import { ServiceError } from '@orchestrator/contract'
import * as z from 'zod'

/** `?cursor=&limit=` of a list; nothing is coerced, a query is text. */
export const pageQuerySchema = z.strictObject({
  cursor: z.string().max(200).optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'must be a whole number from 1 to 200')
    .default('100')
    .transform(Number)
    .refine((limit) => limit >= 1 && limit <= 200, 'must be a whole number from 1 to 200'),
})

/** Throws VALIDATION_ERROR for a cursor that no list of ours gave. */
export function cursorOf(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor)
  const message = 'is not a cursor of this list: send next_cursor as it came'
  throw new ServiceError('VALIDATION_ERROR', `cursor ${message}`, { details: [{ field: 'cursor', message }] })
}
