import { useQuery } from '@tanstack/react-query'

import { inboxQuery } from '../api/queries.ts'

/** How many workflows wait for a review; `100+` when the first page does not hold them all. */
export function useWaitingCount(): string | undefined {
  const { data } = useQuery(inboxQuery('waiting_approval'))
  if (data === undefined || data.items.length === 0) return undefined
  return data.next_cursor === null ? String(data.items.length) : `${data.items.length}+`
}
