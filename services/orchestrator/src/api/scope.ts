import type { Digest, FeatureId, WorkflowId } from '@orchestrator/contract'
import type { RouteScope, Server } from '@orchestrator/server'

import type { Scopes } from '../core/scope.ts'

/** What the schema of a route's path has let through. */
interface NamedByPath {
  id: WorkflowId
  feature_id: FeatureId
  digest: Digest
  base?: Digest
}

type Check = (scopes: Scopes, own: readonly string[], named: NamedByPath) => Promise<unknown>

const CHECKS: Partial<Record<RouteScope, Check>> = {
  workflow: (scopes, own, { id }) => scopes.assertWorkflow(own, id),
  feature: (scopes, own, { feature_id }) => scopes.assertFeature(own, feature_id),
  artifact: (scopes, own, { digest, base = digest }) =>
    Promise.all([scopes.assertArtifact(own, digest), scopes.assertArtifact(own, base)]),
}

/** What a path names must be of a workspace that the key is for. Nobody else waits for it. */
export function guardScopes(app: Server, scopes: Scopes): void {
  app.addHook('preHandler', async (request) => {
    const { config } = request.routeOptions
    const check = config.scope && CHECKS[config.scope]
    if (check === undefined || request.actor.workspaces === null) return
    await check(scopes, request.actor.workspaces, request.params as NamedByPath)
  })
}
