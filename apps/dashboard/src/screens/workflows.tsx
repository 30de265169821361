import { useEffect, useRef } from 'react'
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query'
import { Link, getRouteApi } from '@tanstack/react-router'
import { WindowVirtualizer, type WindowVirtualizerHandle } from 'virtua'

import type { Workflow } from '@orchestrator/contract'

import { useLive } from '../api/live.ts'
import { workflowTableQuery } from '../api/queries.ts'
import { Button, buttonClass } from '../components/button.tsx'
import { Icon } from '../components/icon.tsx'
import { Empty, LoadFailure, LoadingRows } from '../components/notice.tsx'
import { Page } from '../components/page.tsx'
import { moveFocus } from '../keyboard/move-focus.ts'
import { useShortcuts } from '../keyboard/shortcuts.ts'
import { FilterBar } from '../workflow/filter-bar.tsx'
import { toFilters, type TableSearch } from '../workflow/table-search.ts'
import { WorkflowRow } from '../workflow/workflow-row.tsx'

const route = getRouteApi('/workflows')
/** How many rows before the end the next page is asked for. */
const AHEAD = 30

/** All workflows, newest first. Rows change where they stand; new ones wait behind a button, so nothing jumps. */
export function Workflows() {
  const search = route.useSearch()
  const query = workflowTableQuery(toFilters(search))
  const table = useInfiniteQuery(query)
  const client = useQueryClient()
  const rows = table.data?.pages.flatMap((page) => page.items) ?? []
  const arrivals = useArrivals(search, rows)
  useShortcuts([
    { keys: 'j', does: 'Next row', run: () => moveFocus('[data-row]', 1) },
    { keys: 'k', does: 'Previous row', run: () => moveFocus('[data-row]', -1) },
    { keys: '/', does: 'Search', run: () => document.getElementById('workflow-search')?.focus() },
  ])
  return (
    <Page title="Workflows">
      <FilterBar />
      {arrivals > 0 && (
        <div className="mb-3 flex justify-center">
          <Button icon="arrow" onClick={() => void client.resetQueries({ queryKey: query.queryKey })}>
            {arrivals === 1 ? 'Show 1 new workflow' : `Show ${arrivals} new workflows`}
          </Button>
        </div>
      )}
      {table.isError && rows.length === 0 ? (
        <LoadFailure what="The workflows" error={table.error} retry={() => void table.refetch()} />
      ) : (
        <div className="card overflow-hidden">
          {table.isPending && <LoadingRows rows={8} label="Loading workflows" />}
          {table.isSuccess && rows.length === 0 && <NoRows search={search} />}
          {rows.length > 0 && (
            <Rows
              rows={rows}
              onNearEnd={() => {
                if (table.hasNextPage && !table.isFetchingNextPage && !table.isFetchNextPageError)
                  void table.fetchNextPage()
              }}
            />
          )}
          {table.isFetchingNextPage && <LoadingRows rows={2} label="Loading more workflows" />}
          {table.isFetchNextPageError && (
            <div className="p-3">
              <LoadFailure what="More" error={table.error} retry={() => void table.fetchNextPage()} />
            </div>
          )}
        </div>
      )}
    </Page>
  )
}

function Rows({ rows, onNearEnd }: { rows: Workflow[]; onNearEnd: () => void }) {
  const list = useRef<WindowVirtualizerHandle>(null)
  const check = () => {
    const handle = list.current
    if (handle === null) return
    const last = handle.findItemIndex(handle.scrollOffset + window.innerHeight)
    if (last + AHEAD > rows.length) onNearEnd()
  }
  useEffect(check)
  return (
    <WindowVirtualizer ref={list} data={rows} itemSize={60} bufferSize={600} onScroll={check}>
      {(workflow, index) => (
        <div key={workflow.id} className={index === 0 ? '' : 'border-t border-line'}>
          <WorkflowRow workflow={workflow} />
        </div>
      )}
    </WindowVirtualizer>
  )
}

/** Workflows created since the page was opened that belong into this table and are not in it yet. */
function useArrivals({ status, type, feature, q }: TableSearch, rows: Workflow[]): number {
  const { arrivals } = useLive()
  const known = new Set(rows.map(({ id }) => id))
  return arrivals.filter(
    (workflow) =>
      !known.has(workflow.id) &&
      (status === undefined || workflow.status === status) &&
      (type === undefined || workflow.workflow_type === type) &&
      (feature === undefined || workflow.feature_id === feature) &&
      // The event does not carry the description; the name made from it is what can be searched here.
      (q === undefined || workflow.feature_id.includes(q.toLowerCase())),
  ).length
}

function NoRows({ search }: { search: TableSearch }) {
  const filtered = Object.keys(search).length > 0
  if (!filtered)
    return (
      <Empty icon="list" title="No workflows yet">
        <Link to="/new" className={`${buttonClass('primary')} mt-2`}>
          <Icon name="plus" />
          New workflow
        </Link>
      </Empty>
    )
  return (
    <Empty icon="search" title="Nothing matches">
      <p className="mb-3">Take a filter away, or search for fewer words.</p>
      <Link to="/workflows" search={{}} className={buttonClass()}>
        Clear all filters
      </Link>
    </Empty>
  )
}
