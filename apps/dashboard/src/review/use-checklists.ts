import { useMemo } from 'react'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import type { Checklist, ChecklistItem, ChecklistPage } from '@orchestrator/contract'

import { checklistsQuery } from '../api/queries.ts'
import { tickItem } from '../api/review-notes.ts'
import { serverNow } from '../api/server-clock.ts'
import { useSession } from '../api/session.ts'

export interface Checklists {
  lists: readonly Checklist[]
  /** Null where nobody may tick now. */
  tick: ((id: ChecklistItem['id'], ticked: boolean) => void) | null
  error: Error | null
}

const NONE: readonly Checklist[] = []

/** Checklists of the current attempt: only people tick them, here, and the repository's file gets it. */
export function useChecklists(workflow_id: string, attempt_id: string | undefined, can_tick: boolean): Checklists {
  const client = useQueryClient()
  const session = useSession()
  const query = checklistsQuery(workflow_id)
  const page = useQuery({ ...query, enabled: attempt_id !== undefined }).data
  const current = page?.attempt_id === attempt_id ? page : undefined
  const digest = current?.digest ?? null
  const mutationKey = ['tick', workflow_id]
  const { mutate, error } = useMutation({
    mutationKey,
    mutationFn: ({ id, ticked }: { id: string; ticked: boolean }) =>
      tickItem(workflow_id, id, { ticked, ...(digest !== null && { digest }) }),
    onMutate: ({ id, ticked }) => {
      // An answer that was asked for before would show the item as it was.
      void client.cancelQueries({ queryKey: query.queryKey })
      const by = { ticked, ticked_by: session?.name ?? null, ticked_at: new Date(serverNow()).toISOString() }
      client.setQueryData<ChecklistPage>(query.queryKey, (before) => before && withTick(before, id, by))
    },
    onSettled: () => {
      if (client.isMutating({ mutationKey }) === 1) void client.invalidateQueries({ queryKey: query.queryKey })
    },
  })
  return useMemo(
    () => ({
      lists: current?.items ?? NONE,
      tick: can_tick ? (id, ticked) => mutate({ id, ticked }) : null,
      error,
    }),
    [current, can_tick, mutate, error],
  )
}

type Tick = Pick<ChecklistItem, 'ticked' | 'ticked_by' | 'ticked_at'>

const withTick = (page: ChecklistPage, id: string, tick: Tick): ChecklistPage => ({
  ...page,
  items: page.items.map((list) => ({
    ...list,
    items: list.items.map((item) => (item.id === id ? { ...item, ...tick } : item)),
  })),
})
