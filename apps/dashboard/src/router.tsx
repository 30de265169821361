import { QueryClient } from '@tanstack/react-query'
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'

import { Inbox } from './screens/inbox.tsx'
import { Missing } from './screens/missing.tsx'
import { Shell } from './shell/shell.tsx'
import { parseTableSearch } from './workflow/table-search.ts'
import { RequestError } from './api/request.ts'
import type { Showing } from './review/compare-bar.tsx'
import type { View } from './workflow/view-tabs.tsx'

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // The event stream says when something changed; this is for what happens while it is away.
      staleTime: 30_000,
      retry: (count, error) =>
        count < 2 && error instanceof RequestError && (error.code === 'UNREACHABLE' || error.code === 'UNREADABLE'),
      // Loopback works without a network, and a browser that believes itself offline would wait for ever.
      networkMode: 'always',
    },
    mutations: { networkMode: 'always' },
  },
})

const root = createRootRoute({ component: Shell, notFoundComponent: Missing })
const under = () => root

const optionalText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

const inbox = createRoute({ getParentRoute: under, path: '/', component: Inbox })

const workflows = createRoute({
  getParentRoute: under,
  path: '/workflows',
  validateSearch: parseTableSearch,
  component: lazyRouteComponent(() => import('./screens/workflows.tsx'), 'Workflows'),
})

/** Which attempt is on screen, which of its files, and how. */
interface WorkflowSearch {
  attempt?: string
  file?: string
  /** The attempt it is compared with. */
  base?: string
  as?: Showing
  view?: View
}

const workflow = createRoute({
  getParentRoute: under,
  path: '/workflows/$workflow_id',
  validateSearch: (search): WorkflowSearch => {
    const attempt = optionalText(search['attempt'])
    const file = optionalText(search['file'])
    const base = optionalText(search['base'])
    const { as, view } = search
    return {
      ...(attempt !== undefined && { attempt }),
      ...(file !== undefined && { file }),
      ...(base !== undefined && { base }),
      ...((as === 'changes' || as === 'source') && { as }),
      ...((view === 'document' || view === 'activity' || view === 'history') && { view }),
    }
  },
  component: lazyRouteComponent(() => import('./screens/workflow.tsx'), 'WorkflowScreen'),
})

const create = createRoute({
  getParentRoute: under,
  path: '/new',
  validateSearch: (search): { feature_id?: string; type?: string } => {
    const feature_id = optionalText(search['feature_id'])
    const type = optionalText(search['type'])
    return { ...(feature_id !== undefined && { feature_id }), ...(type !== undefined && { type }) }
  },
  component: lazyRouteComponent(() => import('./screens/new-workflow.tsx'), 'NewWorkflow'),
})

const features = createRoute({
  getParentRoute: under,
  path: '/features',
  component: lazyRouteComponent(() => import('./screens/features.tsx'), 'Features'),
})

const feature = createRoute({
  getParentRoute: under,
  path: '/features/$feature_id',
  component: lazyRouteComponent(() => import('./screens/feature.tsx'), 'FeatureScreen'),
})

const settings = createRoute({
  getParentRoute: under,
  path: '/settings',
  component: lazyRouteComponent(() => import('./screens/settings.tsx'), 'Settings'),
})

export const router = createRouter({
  routeTree: root.addChildren([inbox, workflows, workflow, create, features, feature, settings]),
  defaultPreload: 'intent',
  scrollRestoration: true,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
