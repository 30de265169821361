import {
  digestSchema,
  featureIdSchema,
  healthSchema,
  hubAgentsSchema,
  hubWorkspaceSchema,
  nameSchema,
  pushedBranchSchema,
  pushFeatureSchema,
  repositoryFeatureSchema,
  ServiceError,
  workspacePageSchema,
  type Health,
} from '@orchestrator/contract'
import { contentResponse, errorResponses, type Server } from '@orchestrator/server'
import * as z from 'zod'

import { ORCHESTRATORS } from './callers.ts'
import type { Features } from '../core/features.ts'
import type { AgentRegistry, Workspaces } from '../core/ports.ts'
import type { InvocationStore } from '../core/store.ts'

export interface HubRoutes {
  registry: AgentRegistry
  workspaces: Workspaces
  features: Features
  store: Pick<InvocationStore, 'findArtifact'>
  checkHealth(): Promise<Health>
}

const featureParams = z.strictObject({ name: nameSchema, feature_id: featureIdSchema })

/** What the hub has: agents, workspaces, artifacts, and how it is. */
export function registerHub(app: Server, hub: HubRoutes): void {
  app.get(
    '/agents',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'Agents this hub knows',
        description: 'Looks for them again: what is installed while the hub runs needs no restart.',
        tags: ['agents'],
        response: { 200: hubAgentsSchema },
      },
    },
    async () => {
      await hub.registry.refresh()
      return hub.registry.list()
    },
  )

  app.get(
    '/workspaces',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'The repositories that agents may work in',
        tags: ['workspaces'],
        response: { 200: workspacePageSchema },
      },
    },
    () => ({ items: hub.workspaces.list(), next_cursor: null }),
  )

  app.get(
    '/workspaces/:name/features/:feature_id',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'A feature as the repository has it, whoever began it',
        tags: ['workspaces'],
        params: featureParams,
        response: {
          200: repositoryFeatureSchema,
          ...errorResponses('WORKSPACE_NOT_FOUND', 'FEATURE_NOT_FOUND', 'UNAVAILABLE'),
        },
      },
    },
    ({ params }) => hub.features.get(params.name, params.feature_id),
  )

  app.post(
    '/workspaces/:name/features/:feature_id/push',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'Push the feature’s branch to a remote of the repository',
        description: 'Never by force, and only while no agent is at work on the feature.',
        tags: ['workspaces'],
        params: featureParams,
        body: pushFeatureSchema,
        response: {
          200: pushedBranchSchema,
          ...errorResponses('WORKSPACE_NOT_FOUND', 'FEATURE_NOT_FOUND', 'FEATURE_BUSY', 'PUSH_FAILED', 'UNAVAILABLE'),
        },
      },
    },
    ({ params, body }) => hub.features.push(params.name, params.feature_id, body),
  )

  app.get(
    '/workspaces/:name',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'A repository that agents may work in',
        tags: ['workspaces'],
        params: z.strictObject({ name: nameSchema }),
        response: { 200: hubWorkspaceSchema, ...errorResponses('WORKSPACE_NOT_FOUND', 'UNAVAILABLE') },
      },
    },
    (request) => hub.workspaces.describe(request.params.name),
  )

  app.get(
    '/artifacts/:digest',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'A file by its digest',
        description: 'The bytes as the agent left them: never to be shown as a page.',
        tags: ['artifacts'],
        params: z.strictObject({ digest: digestSchema }),
        response: {
          ...contentResponse('application/octet-stream', 'The bytes, as a download'),
          ...errorResponses('ARTIFACT_NOT_FOUND'),
        },
      },
    },
    async (request, reply) => {
      const { digest } = request.params
      const bytes = await hub.store.findArtifact(digest)
      if (bytes === undefined) throw new ServiceError('ARTIFACT_NOT_FOUND', `There is no artifact ${digest} here.`)
      return reply
        .header('content-type', 'application/octet-stream')
        .header('content-disposition', `attachment; filename="${digest}"`)
        .header('x-content-type-options', 'nosniff')
        .send(Buffer.from(bytes))
    },
  )

  app.get(
    '/health',
    {
      config: { public: true },
      schema: {
        summary: 'Whether the hub can work',
        tags: ['health'],
        response: { 200: healthSchema, 503: healthSchema },
      },
    },
    async (_request, reply) => {
      const health = await hub.checkHealth()
      return reply.code(health.status === 'unhealthy' ? 503 : 200).send(health)
    },
  )
}
