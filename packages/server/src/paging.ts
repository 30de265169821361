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

/** A row and its place in the order of the list. */
interface Listed<T> {
  sequence: number
  item: T
}

/** One page of what `list` gives, oldest first. Throws VALIDATION_ERROR for a cursor that no list of ours gave. */
export async function readPage<T>(
  query: z.infer<typeof pageQuerySchema>,
  list: (after: number, limit: number) => Promise<Listed<T>[]>,
): Promise<{ items: T[]; next_cursor: string | null }> {
  const rows = await list(readCursor(query.cursor), query.limit + 1)
  const page = rows.slice(0, query.limit)
  return {
    items: page.map(({ item }) => item),
    next_cursor: rows.length > query.limit ? String(page.at(-1)?.sequence) : null,
  }
}

function readCursor(cursor: string | undefined): number {
  if (cursor === undefined) return 0
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor)
  const message = 'is not a cursor of this list: send next_cursor as it came'
  throw new ServiceError('VALIDATION_ERROR', `cursor ${message}`, { details: [{ field: 'cursor', message }] })
}
