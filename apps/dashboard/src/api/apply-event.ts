import type { InfiniteData, QueryClient } from '@tanstack/react-query'

import type { StreamEvent, Transition, Workflow, WorkflowPage } from '@orchestrator/contract'

/**
 * Brings an event into what the page already knows. Rows of the table change in place and never move; queries that
 * are on screen are read again, the inbox at most a few times a second however many workflows move.
 */
export function applyEvent(client: QueryClient, event: StreamEvent, refreshInbox: () => void): void {
  if (event.type === 'agent.update') return
  if (event.type === 'queue.state') return void client.invalidateQueries({ queryKey: ['queue'] })
  if (event.type === 'workflow.transition') patchRows(client, event.data)
  const { workflow_id } = event
  if (event.type === 'question.answered') {
    void client.invalidateQueries({ queryKey: ['questions', workflow_id] })
    return
  }
  if (event.type === 'checklist.ticked') {
    void client.invalidateQueries({ queryKey: ['checklists', workflow_id] })
    return
  }
  void client.invalidateQueries({ queryKey: ['workflow', workflow_id] })
  void client.invalidateQueries({ queryKey: ['attempts', workflow_id] })
  if (event.type === 'attempt.state') return
  void client.invalidateQueries({ queryKey: ['history', workflow_id] })
  for (const name of ['drafts', 'questions', 'checklists'])
    void client.invalidateQueries({ queryKey: [name, workflow_id] })
  void client.invalidateQueries({ queryKey: ['feature'] })
  refreshInbox()
}

function patchRows(client: QueryClient, transition: Transition): void {
  client.setQueriesData<InfiniteData<WorkflowPage>>({ queryKey: ['workflow-table'] }, (table) => {
    const known = table?.pages.some((page) => page.items.some((item) => item.id === transition.workflow_id))
    if (table === undefined || known !== true) return table
    return { ...table, pages: table.pages.map((page) => patchPage(page, transition)) }
  })
}

const patchPage = (page: WorkflowPage, transition: Transition): WorkflowPage => ({
  ...page,
  items: page.items.map((item) => (item.id === transition.workflow_id ? patchWorkflow(item, transition) : item)),
})

const patchWorkflow = (workflow: Workflow, transition: Transition): Workflow => ({
  ...workflow,
  status: transition.to_status,
  updated_at: transition.created_at,
})

/** Runs `work` at once and then at most once per `interval_ms`, with a last run for what came in between. */
export function throttle(work: () => void, interval_ms: number): () => void {
  let resting = false
  let asked = false
  const run = () => {
    resting = true
    work()
    setTimeout(() => {
      resting = false
      if (!asked) return
      asked = false
      run()
    }, interval_ms)
  }
  return () => {
    if (resting) asked = true
    else run()
  }
}
