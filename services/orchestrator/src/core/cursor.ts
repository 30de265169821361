import { ServiceError } from '@orchestrator/contract'

/** Throws VALIDATION_ERROR for a cursor that no list of ours gave. */
export function cursorOf(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor)
  const message = 'is not a cursor of this list: send next_cursor as it came'
  throw new ServiceError('VALIDATION_ERROR', `cursor ${message}`, { details: [{ field: 'cursor', message }] })
}
