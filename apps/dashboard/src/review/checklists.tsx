import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

import type { Checklist, ChecklistPage } from '@orchestrator/contract'

import { checklistsQuery } from '../api/queries.ts'
import { request } from '../api/request.ts'
import { Icon } from '../components/icon.tsx'
import { shortPath } from './artifact-order.ts'

interface ChecklistsProps {
  workflow_id: string
  attempt_id: string
  can_tick: boolean
  onShow: (path: string, line: number | null) => void
}

/** Checklists of the current attempt: only people tick them, here, and the repository's file gets it. */
export function Checklists({ workflow_id, attempt_id, can_tick, onShow }: ChecklistsProps) {
  const page = useQuery(checklistsQuery(workflow_id)).data
  if (page === undefined || page.attempt_id !== attempt_id || page.items.length === 0) return null
  return page.items.map((checklist) => (
    <ChecklistCard
      key={checklist.path}
      workflow_id={workflow_id}
      checklist={checklist}
      can_tick={can_tick}
      onShow={onShow}
    />
  ))
}

type CardProps = Omit<ChecklistsProps, 'attempt_id'> & { checklist: Checklist }

function ChecklistCard({ workflow_id, checklist, can_tick, onShow }: CardProps) {
  const client = useQueryClient()
  const { queryKey } = checklistsQuery(workflow_id)
  const tick = useMutation({
    mutationFn: ({ id, ticked }: { id: string; ticked: boolean }) =>
      request<unknown>(`/workflows/${workflow_id}/checklist-items/${id}`, { method: 'PUT', body: { ticked } }),
    onMutate: ({ id, ticked }) =>
      client.setQueryData<ChecklistPage>(queryKey, (before) => before && withTick(before, id, ticked)),
    onSettled: () => void client.invalidateQueries({ queryKey }),
  })
  const { path, items } = checklist
  const ticked = items.filter((item) => item.ticked).length
  return (
    <section className="card px-3.5 py-2">
      <details className="group">
        <summary className="flex min-h-6 items-center gap-2">
          <Icon name="list" className="size-3.5 text-faint" />
          <span className="min-w-0 truncate font-medium">{shortPath(path).replace(/^checklists\//, '')}</span>
          <span className="ml-auto text-sm text-soft tabular-nums">
            {ticked} of {items.length}
          </span>
          <Icon name="chevron" className="size-3.5 text-faint transition-transform group-open:rotate-90" />
        </summary>
        <ul className="mt-1.5 flex flex-col gap-1 pb-1">
          {items.map((item) => (
            <li key={item.id} className="flex items-start gap-2 text-sm">
              <label className="flex min-h-6 min-w-0 flex-1 items-start gap-2">
                <input
                  type="checkbox"
                  checked={item.ticked}
                  disabled={!can_tick}
                  onChange={(event) => tick.mutate({ id: item.id, ticked: event.target.checked })}
                  className="mt-0.75 size-4 shrink-0"
                />
                <span className={`min-w-0 ${item.ticked ? 'text-soft' : ''}`}>{item.text}</span>
              </label>
              <button
                type="button"
                aria-label={`Show ${item.label} in the text`}
                onClick={() => onShow(path, item.line)}
                className="min-h-6 min-w-6 shrink-0 font-mono text-xs text-accent underline underline-offset-2"
              >
                :{item.line}
              </button>
            </li>
          ))}
        </ul>
        {tick.isError && (
          <p role="alert" className="pb-1 text-sm text-failed">
            {tick.error.message}
          </p>
        )}
      </details>
    </section>
  )
}

const withTick = (page: ChecklistPage, id: string, ticked: boolean): ChecklistPage => ({
  ...page,
  items: page.items.map((checklist) => ({
    ...checklist,
    items: checklist.items.map((item) => (item.id === id ? { ...item, ticked } : item)),
  })),
})
