import {
  exchangePageSchema,
  featureIdSchema,
  pushedBranchSchema,
  pushFeatureSchema,
  ServiceError,
  workspacePageSchema,
  type ErrorCode,
} from '@orchestrator/contract'
import { errorResponses, pageQuerySchema, type Server } from '@orchestrator/server'
import * as z from 'zod'

import { HubError, type AgentHub } from '../core/agent-hub.ts'
import type { WorkflowStore } from '../core/ports.ts'
import { rolesFor } from '../core/privileges.ts'
import { reaches } from '../core/scope.ts'
import { featureBusy, unknownFeature } from '../core/sentences.ts'

export interface WorkspaceRoutesOptions {
  hub: AgentHub
  store: WorkflowStore
}

/** What the hub refuses in words of its own that fit here, too. */
const PASSED_ON: readonly ErrorCode[] = ['FEATURE_NOT_FOUND', 'FEATURE_BUSY', 'PUSH_FAILED', 'VALIDATION_ERROR']

/** The repositories that the hub works in, the way out of them, and what agents did there. */
export function workspaceRoutes(app: Server, { hub, store }: WorkspaceRoutesOptions): void {
  app.get(
    '/workspaces',
    {
      config: { roles: rolesFor('read'), scope: 'limited' },
      schema: {
        tags: ['features'],
        summary: 'The repositories that agents may work in',
        response: { 200: workspacePageSchema, ...errorResponses('UNAVAILABLE') },
      },
    },
    async (request) => {
      const page = await hub.listWorkspaces().catch(refuse)
      return { ...page, items: page.items.filter(({ name }) => reaches(request.actor.workspaces, name)) }
    },
  )

  app.get(
    '/features/:feature_id/exchanges',
    {
      config: { roles: rolesFor('read'), scope: 'feature' },
      schema: {
        tags: ['features'],
        summary: 'Every turn of an agent for a feature, from the hub’s audit log',
        description:
          'Oldest first: digests of prompt and answer, how much went to the model, and what it tried to reach beside it.',
        params: z.strictObject({ feature_id: featureIdSchema }),
        querystring: pageQuerySchema,
        response: { 200: exchangePageSchema, ...errorResponses('FEATURE_NOT_FOUND', 'UNAVAILABLE') },
      },
    },
    async (request) => {
      const { feature_id } = request.params
      if ((await store.findFeature(feature_id)) === undefined)
        throw new ServiceError('FEATURE_NOT_FOUND', unknownFeature(feature_id))
      return hub.listExchanges(feature_id, request.query).catch(refuse)
    },
  )

  app.post(
    '/features/:feature_id/push',
    {
      config: { roles: rolesFor('push'), scope: 'feature' },
      schema: {
        tags: ['features'],
        summary: 'Push a feature’s branch to a remote of its repository, when no workflow of it is active',
        params: z.strictObject({ feature_id: featureIdSchema }),
        body: pushFeatureSchema,
        response: {
          200: pushedBranchSchema,
          ...errorResponses('FEATURE_NOT_FOUND', 'FEATURE_BUSY', 'PUSH_FAILED', 'UNAVAILABLE'),
        },
      },
    },
    async (request) => {
      const { feature_id } = request.params
      const feature = await store.findFeature(feature_id)
      if (feature === undefined) throw new ServiceError('FEATURE_NOT_FOUND', unknownFeature(feature_id))
      const active = feature.workflows.find(({ status }) => status !== 'completed' && status !== 'failed')
      if (active !== undefined) throw new ServiceError('FEATURE_BUSY', featureBusy(feature_id, active.id))
      return hub.push(feature.workspace, feature_id, request.body).catch(refuse)
    },
  )
}

function refuse(error: unknown): never {
  if (!(error instanceof HubError)) throw error
  const code = PASSED_ON.find((known) => known === error.code) ?? 'UNAVAILABLE'
  throw new ServiceError(code, error.message, { cause: error })
}
