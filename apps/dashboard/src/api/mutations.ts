import { useMutation, useQueryClient, type QueryClient } from '@tanstack/react-query'

import type { AdvanceWorkflow, CreateWorkflow, Phase, Workflow, WorkflowPage } from '@orchestrator/contract'

import { createIdentifier } from './identifier.ts'
import { request } from './request.ts'

/** Creates a workflow; with `feature_id` the next one of that feature. */
export function useCreateWorkflow() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (body: CreateWorkflow) =>
      request<Workflow>('/workflows', { method: 'POST', body, idempotency_key: createIdentifier() }),
    onSuccess: (workflow) => rememberWorkflow(client, workflow),
  })
}

export function useRetryWorkflow() {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (workflow_id: string) =>
      request<Workflow>(`/workflows/${workflow_id}/retry`, { method: 'POST', idempotency_key: createIdentifier() }),
    onSuccess: (workflow) => rememberWorkflow(client, workflow),
  })
}

export function useCancelWorkflow(workflow_id: string) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: (reason: string) =>
      request<Workflow>(`/workflows/${workflow_id}/cancel`, {
        method: 'POST',
        body: reason === '' ? {} : { reason },
        idempotency_key: createIdentifier(),
      }),
    onSuccess: (workflow) => rememberWorkflow(client, workflow),
  })
}

/**
 * A verdict. Shown at once as if it had been accepted, and taken back when the service refuses it. What `before` brings to
 * the service has arrived when the verdict is sent.
 */
export function useAdvanceWorkflow(workflow_id: string, before: () => Promise<void>) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: async (body: AdvanceWorkflow) => {
      await before()
      return request<Workflow>(`/workflows/${workflow_id}/advance`, {
        method: 'POST',
        body,
        idempotency_key: createIdentifier(),
      })
    },
    onMutate: async (body) => {
      await client.cancelQueries({ queryKey: ['workflow', workflow_id] })
      const known = client.getQueryData<Workflow>(['workflow', workflow_id])
      if (known !== undefined) client.setQueryData(['workflow', workflow_id], expectVerdict(known, body))
      const waiting = client.getQueryData<WorkflowPage>(['inbox', 'waiting_approval'])
      if (waiting !== undefined) {
        const items = waiting.items.filter((item) => item.id !== workflow_id)
        client.setQueryData<WorkflowPage>(['inbox', 'waiting_approval'], { ...waiting, items })
      }
      return { known, waiting }
    },
    onError: (_error, _body, context) => {
      if (context?.known !== undefined) client.setQueryData(['workflow', workflow_id], context.known)
      if (context?.waiting !== undefined) client.setQueryData(['inbox', 'waiting_approval'], context.waiting)
    },
    onSuccess: (workflow) => client.setQueryData(['workflow', workflow_id], workflow),
    onSettled: () => refreshWorkflow(client, workflow_id),
  })
}

/** What the service will most likely answer, by the state machine's table. */
export function expectVerdict(workflow: Workflow, body: AdvanceWorkflow): Workflow {
  if (body.trigger === 'human_approved') {
    if (workflow.current_phase === 'phase_2') return { ...workflow, status: 'completed' }
    const next: Phase = 'phase_2'
    return { ...workflow, status: 'in_progress', current_phase: next, attempt: null }
  }
  if (body.phase_result?.abort === true) return { ...workflow, status: 'failed' }
  return { ...workflow, status: 'in_progress', attempt: null }
}

function rememberWorkflow(client: QueryClient, workflow: Workflow): void {
  client.setQueryData(['workflow', workflow.id], workflow)
  refreshWorkflow(client, workflow.id)
}

function refreshWorkflow(client: QueryClient, workflow_id: string): void {
  for (const name of ['workflow', 'history', 'attempts'])
    void client.invalidateQueries({ queryKey: [name, workflow_id] })
  for (const name of ['inbox', 'feature', 'features']) void client.invalidateQueries({ queryKey: [name] })
}
