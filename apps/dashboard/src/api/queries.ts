import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'

import type {
  Attempt,
  BudgetPage,
  ChecklistPage,
  Feature,
  FeatureDetail,
  Health,
  HubAgents,
  Key,
  Queue,
  QuestionPage,
  RenderedArtifact,
  RenderedDiff,
  ReviewDraft,
  Session,
  Transition,
  ViewedMark,
  Workflow,
  WorkflowPage,
  WorkflowStatus,
  WorkflowType,
  WorkspaceEntry,
} from '@orchestrator/contract'

import { request, requestText } from './request.ts'

interface Page<T> {
  items: T[]
  next_cursor: string | null
}

export interface WorkflowFilters {
  status?: WorkflowStatus | undefined
  workflow_type?: WorkflowType | undefined
  feature_id?: string | undefined
  q?: string | undefined
}

const PAGE_SIZE = 100

/** Builds `?a=b`, leaving out what is not set. */
function search(parameters: Record<string, string | number | undefined>): string {
  const pairs = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) if (value !== undefined) pairs.set(name, String(value))
  const text = pairs.toString()
  return text === '' ? '' : `?${text}`
}

/** The table of workflows, newest first, page by page. */
export const workflowTableQuery = (filters: WorkflowFilters) =>
  infiniteQueryOptions({
    queryKey: ['workflow-table', filters],
    queryFn: ({ pageParam, signal }) =>
      request<WorkflowPage>(`/workflows${search({ ...filters, cursor: pageParam, limit: PAGE_SIZE })}`, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  })

/** One lane of the inbox: the first page of everything in one status. */
export const inboxQuery = (status: WorkflowStatus) =>
  queryOptions({
    queryKey: ['inbox', status],
    queryFn: ({ signal }) => request<WorkflowPage>(`/workflows${search({ status, limit: PAGE_SIZE })}`, { signal }),
  })

export const workflowQuery = (workflow_id: string) =>
  queryOptions({
    queryKey: ['workflow', workflow_id],
    queryFn: ({ signal }) => request<Workflow>(`/workflows/${workflow_id}`, { signal }),
  })

export const historyQuery = (workflow_id: string) =>
  queryOptions({
    queryKey: ['history', workflow_id],
    queryFn: ({ signal }) => listAll<Transition>(`/workflows/${workflow_id}/history`, signal),
  })

export const attemptsQuery = (workflow_id: string) =>
  queryOptions({
    queryKey: ['attempts', workflow_id],
    queryFn: ({ signal }) => listAll<Attempt>(`/workflows/${workflow_id}/attempts`, signal),
  })

/** Named by digest, so never out of date. */
export const renderedQuery = (digest: string) =>
  queryOptions({
    queryKey: ['rendered', digest],
    queryFn: ({ signal }) => request<RenderedArtifact>(`/artifacts/${digest}/rendered`, { signal }),
    staleTime: Infinity,
  })

/** How one file became another, by the digests of both. */
export const diffQuery = (base: string, digest: string, by: 'words' | 'lines') =>
  queryOptions({
    queryKey: ['diff', base, digest, by],
    queryFn: ({ signal }) => request<RenderedDiff>(`/artifacts/${digest}/diff/${base}${search({ by })}`, { signal }),
    staleTime: Infinity,
  })

/** Who asks, as the service sees it. */
export const sessionQuery = () =>
  queryOptions({
    queryKey: ['session'],
    queryFn: ({ signal }) => request<Session>('/session', { signal }),
    staleTime: Infinity,
  })

/** A reviewer's own drafts on a workflow. */
export const draftsQuery = (workflow_id: string) =>
  queryOptions({
    queryKey: ['drafts', workflow_id],
    queryFn: ({ signal }) => listAll<ReviewDraft>(`/workflows/${workflow_id}/drafts`, signal),
  })

/** What a reviewer has marked as read. */
export const viewedQuery = (workflow_id: string) =>
  queryOptions({
    queryKey: ['viewed', workflow_id],
    queryFn: ({ signal }) => listAll<ViewedMark>(`/workflows/${workflow_id}/viewed`, signal),
  })

/** What the current attempt leaves open, with the answers given so far. */
export const questionsQuery = (workflow_id: string) =>
  queryOptions({
    queryKey: ['questions', workflow_id],
    queryFn: ({ signal }) => request<QuestionPage>(`/workflows/${workflow_id}/questions`, { signal }),
  })

/** The checklists of the current attempt, with what people have ticked. */
export const checklistsQuery = (workflow_id: string) =>
  queryOptions({
    queryKey: ['checklists', workflow_id],
    queryFn: ({ signal }) => request<ChecklistPage>(`/workflows/${workflow_id}/checklists`, { signal }),
  })

/** Whether work is handed out. */
export const queueQuery = () =>
  queryOptions({
    queryKey: ['queue'],
    queryFn: ({ signal }) => request<Queue>('/queue', { signal }),
    refetchInterval: 10_000,
  })

export const budgetsQuery = () =>
  queryOptions({
    queryKey: ['budgets'],
    queryFn: ({ signal }) => request<BudgetPage>('/budgets', { signal }),
    refetchInterval: 10_000,
  })

export const keysQuery = () =>
  queryOptions({
    queryKey: ['keys'],
    queryFn: ({ signal }) => listAll<Key>('/keys', signal),
  })

/** The repositories that agents may work in; a hub that is away tells none. */
export const workspacesQuery = () =>
  queryOptions({
    queryKey: ['workspaces'],
    queryFn: ({ signal }) => listAll<WorkspaceEntry>('/workspaces', signal),
  })

export const artifactTextQuery = (digest: string) =>
  queryOptions({
    queryKey: ['artifact', digest],
    queryFn: ({ signal }) => requestText(`/artifacts/${digest}`, signal),
    staleTime: Infinity,
  })

export const featuresQuery = () =>
  infiniteQueryOptions({
    queryKey: ['features'],
    queryFn: ({ pageParam, signal }) =>
      request<Page<Feature>>(`/features${search({ cursor: pageParam, limit: PAGE_SIZE })}`, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  })

export const featureQuery = (feature_id: string) =>
  queryOptions({
    queryKey: ['feature', feature_id],
    queryFn: ({ signal }) => request<FeatureDetail>(`/features/${feature_id}`, { signal }),
  })

export const agentsQuery = () =>
  queryOptions({
    queryKey: ['agents'],
    queryFn: ({ signal }) => request<HubAgents>('/agents', { signal }),
    staleTime: 60_000,
  })

export const healthQuery = () =>
  queryOptions({
    queryKey: ['health'],
    queryFn: ({ signal }) => request<Health>('/health', { signal }),
    // A passing trouble is not on the page for longer than it lasts.
    refetchInterval: ({ state }) => (state.data?.status === 'healthy' ? 30_000 : 5_000),
  })

/** History and attempts of one workflow are short (reworks are limited), so they are read whole. */
async function listAll<T>(path: string, signal: AbortSignal): Promise<T[]> {
  const items: T[] = []
  let cursor: string | undefined
  do {
    const page = await request<Page<T>>(`${path}${search({ cursor })}`, { signal })
    items.push(...page.items)
    cursor = page.next_cursor ?? undefined
  } while (cursor !== undefined)
  return items
}
