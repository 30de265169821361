import { useEffect, useState } from 'react'
import { getRouteApi } from '@tanstack/react-router'

import { Icon } from '../components/icon.tsx'
import { WORKFLOW_STATUS_WORDS } from '../components/status.tsx'
import { readFilterText, type TableSearch } from './table-search.ts'
import { TYPE_NAMES, WORKFLOW_STATUS_ORDER, WORKFLOW_TYPE_ORDER } from './words.ts'

const route = getRouteApi('/workflows')
const TYPING_PAUSE_MS = 200

/** A search box whose filters become chips; everything stands in the address, so a view can be shared. */
export function FilterBar() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const [text, setText] = useState(search.q ?? '')
  const go = (next: TableSearch) => void navigate({ search: next, replace: true })

  useEffect(() => setText(search.q ?? ''), [search.q])
  useEffect(() => {
    if (text.trim() === (search.q ?? '')) return
    const timer = setTimeout(() => {
      const { q: _old, ...chips } = search
      go({ ...chips, ...readFilterText(text) })
    }, TYPING_PAUSE_MS)
    return () => clearTimeout(timer)
  })

  const without = (name: keyof TableSearch) => {
    const { [name]: _dropped, ...rest } = search
    go(rest)
  }
  return (
    <search className="mb-4 flex flex-col gap-2">
      <div className="field flex min-h-10 flex-wrap items-center gap-1.5 py-1 focus-within:outline-2 focus-within:-outline-offset-1 focus-within:outline-accent">
        <Icon name="search" className="text-faint" />
        {search.status !== undefined && (
          <Chip text={`status: ${WORKFLOW_STATUS_WORDS[search.status].word}`} onRemove={() => without('status')} />
        )}
        {search.type !== undefined && (
          <Chip text={`type: ${TYPE_NAMES[search.type]}`} onRemove={() => without('type')} />
        )}
        {search.feature !== undefined && (
          <Chip text={`feature: ${search.feature}`} onRemove={() => without('feature')} />
        )}
        <input
          id="workflow-search"
          type="text"
          aria-label="Search workflows"
          placeholder="Search, or status:waiting type:plan"
          value={text}
          maxLength={200}
          onChange={(event) => setText(event.target.value)}
          className="min-w-40 flex-1 bg-transparent py-1 outline-none placeholder:text-faint"
        />
      </div>
      <div className="flex flex-wrap gap-1.5">
        <Choice pressed={search.status === undefined} onPress={() => without('status')}>
          All
        </Choice>
        {WORKFLOW_STATUS_ORDER.map((status) => (
          <Choice key={status} pressed={search.status === status} onPress={() => go({ ...search, status })}>
            <Icon name={WORKFLOW_STATUS_WORDS[status].icon} className="size-3.5" />
            {WORKFLOW_STATUS_WORDS[status].word}
          </Choice>
        ))}
        <label className="ml-auto inline-flex items-center gap-2 text-sm text-soft">
          Type
          <select
            value={search.type ?? ''}
            onChange={(event) => {
              const type = WORKFLOW_TYPE_ORDER.find((name) => name === event.target.value)
              if (type === undefined) without('type')
              else go({ ...search, type })
            }}
            className="field w-auto py-1"
          >
            <option value="">All</option>
            {WORKFLOW_TYPE_ORDER.map((type) => (
              <option key={type} value={type}>
                {TYPE_NAMES[type]}
              </option>
            ))}
          </select>
        </label>
      </div>
    </search>
  )
}

function Chip({ text, onRemove }: { text: string; onRemove: () => void }) {
  return (
    <span className="inline-flex items-center rounded-md bg-accent-soft pl-2 text-sm font-medium text-accent">
      {text}
      <button type="button" aria-label={`Remove ${text}`} onClick={onRemove} className="grid size-6 place-items-center">
        <Icon name="cross" className="size-3" />
      </button>
    </span>
  )
}

function Choice({ pressed, onPress, children }: { pressed: boolean; onPress: () => void; children: React.ReactNode }) {
  return (
    <button
      type="button"
      aria-pressed={pressed}
      onClick={onPress}
      className="inline-flex min-h-7 items-center gap-1.5 rounded-full border border-line px-2.5 text-sm text-soft hover:bg-hover aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:font-medium aria-pressed:text-accent"
    >
      {children}
    </button>
  )
}
