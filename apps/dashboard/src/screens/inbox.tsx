import type { ReactNode } from 'react'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import type { Workflow, WorkflowPage, WorkflowStatus } from '@orchestrator/contract'

import { inboxQuery } from '../api/queries.ts'
import { Empty, LoadFailure, LoadingRows } from '../components/notice.tsx'
import { Page } from '../components/page.tsx'
import { Clock } from '../components/time.tsx'
import { moveFocus } from '../keyboard/move-focus.ts'
import { useShortcuts } from '../keyboard/shortcuts.ts'
import { WorkflowRow } from '../workflow/workflow-row.tsx'
import { FirstRun } from './first-run.tsx'

/** More than this belongs into the table. */
const MOST_WAITING = 50
const MOST_BUSY = 15

/** Home: what waits for a person, longest first; then what agents are doing. */
export function Inbox() {
  const waiting = useQuery(inboxQuery('waiting_approval'))
  const running = useQuery(inboxQuery('in_progress'))
  const queued = useQuery(inboxQuery('pending'))
  useShortcuts([
    { keys: 'j', does: 'Next row', run: () => moveFocus('[data-row]', 1) },
    { keys: 'k', does: 'Previous row', run: () => moveFocus('[data-row]', -1) },
  ])

  const failed = [waiting, running, queued].find((query) => query.data === undefined && query.isError)
  if (failed?.error != null)
    return (
      <Page title="Inbox">
        <LoadFailure what="The inbox" error={failed.error} retry={() => void failed.refetch()} />
      </Page>
    )
  if (waiting.data === undefined || running.data === undefined || queued.data === undefined)
    return (
      <Page title="Inbox">
        <div className="card">
          <LoadingRows rows={4} label="Loading the inbox" />
        </div>
      </Page>
    )

  const busy = [...running.data.items, ...queued.data.items]
  if (waiting.data.items.length === 0 && busy.length === 0)
    return (
      <Page title="Inbox">
        <FirstRun />
      </Page>
    )
  return (
    <Page title="Inbox">
      <Lane title="Needs your review" count={countOf(waiting.data)}>
        {waiting.data.items.length === 0 ? (
          <Empty icon="check" title="Nothing waits for you">
            When an agent finishes a phase, it appears here.
          </Empty>
        ) : (
          <>
            {waiting.data.items
              .toSorted((one, other) => one.updated_at.localeCompare(other.updated_at))
              .slice(0, MOST_WAITING)
              .map((workflow) => (
                <WorkflowRow key={workflow.id} workflow={workflow} />
              ))}
            {waiting.data.items.length > MOST_WAITING && <More status="waiting_approval" />}
          </>
        )}
      </Lane>
      {busy.length > 0 && (
        <Lane title="Running" count={busyCount(running.data, queued.data)}>
          {busy.slice(0, MOST_BUSY).map((workflow) => (
            <WorkflowRow key={workflow.id} workflow={workflow} note={<Holdup workflow={workflow} />} />
          ))}
          {busy.length > MOST_BUSY && <More status="in_progress" />}
        </Lane>
      )}
    </Page>
  )
}

const countOf = (page: WorkflowPage) => (page.next_cursor === null ? '' : 'more than ') + page.items.length

const busyCount = (running: WorkflowPage, queued: WorkflowPage) =>
  countOf({
    items: [...running.items, ...queued.items],
    next_cursor: running.next_cursor ?? queued.next_cursor,
  })

function More({ status }: { status: WorkflowStatus }) {
  return (
    <Link to="/workflows" search={{ status }} data-row className="block px-4 py-2.5 text-accent hover:bg-hover">
      Show all
    </Link>
  )
}

function Lane({ title, count, children }: { title: string; count: string; children: ReactNode }) {
  return (
    <section className="mb-7">
      <h2 className="mb-2 flex items-baseline gap-2 font-semibold">
        {title} <span className="text-sm font-normal text-faint tabular-nums">{count}</span>
      </h2>
      <div className="card divide-y divide-line overflow-hidden">{children}</div>
    </section>
  )
}

/** Why something that should run does not. */
function Holdup({ workflow: { attempt } }: { workflow: Workflow }) {
  if (attempt === null || attempt.reason === null || attempt.state === 'running') return null
  return (
    <span className="text-waiting">
      {attempt.reason}
      {attempt.next_retry_at !== null && (
        <>
          {' '}
          Tries again at <Clock at={attempt.next_retry_at} />.
        </>
      )}
    </span>
  )
}
