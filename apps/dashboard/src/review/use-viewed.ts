import { useMemo } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import type { ViewedMark } from '@orchestrator/contract'

import { viewedQuery } from '../api/queries.ts'
import { markViewed } from '../api/review-notes.ts'
import { mayReview, useSession } from '../api/session.ts'

export interface Viewed {
  digests: ReadonlySet<string>
  /** Marks what has this digest as read, or not; shown at once. */
  mark: (digest: string, viewed: boolean) => void
}

/** What this reviewer has read of a workflow, kept by the service by digest: what changes is unread again. */
export function useViewed(workflow_id: string): Viewed {
  const client = useQueryClient()
  const session = useSession()
  const query = viewedQuery(workflow_id)
  const marks = useQuery({ ...query, enabled: mayReview(session) }).data
  const { mutate } = useMutation({
    mutationFn: ({ digest, viewed }: { digest: string; viewed: boolean }) => markViewed(workflow_id, digest, viewed),
    onMutate: ({ digest, viewed }) =>
      client.setQueryData(query.queryKey, (before: ViewedMark[] = []) => [
        ...before.filter((mark) => mark.digest !== digest),
        ...(viewed ? [{ digest, viewed_at: new Date().toISOString() } as ViewedMark] : []),
      ]),
    onError: () => void client.invalidateQueries({ queryKey: query.queryKey }),
  })
  return useMemo(
    () => ({
      digests: new Set(marks?.map(({ digest }) => digest)),
      mark: (digest, viewed) => mutate({ digest, viewed }),
    }),
    [marks, mutate],
  )
}
