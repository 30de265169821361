import {
  digestSchema,
  healthSchema,
  hubAgentsSchema,
  hubWorkspaceSchema,
  nameSchema,
  ServiceError,
  type Health,
} from '@orchestrator/contract'
import { contentResponse, errorResponses, type Server } from '@orchestrator/server'
import * as z from 'zod'

import type { AgentRegistry, Workspaces } from '../core/ports.ts'
import type { InvocationStore } from '../core/store.ts'

export interface HubRoutes {
  registry: AgentRegistry
  workspaces: Workspaces
  store: Pick<InvocationStore, 'findArtifact'>
  checkHealth(): Promise<Health>
}

/** What the hub has: agents, workspaces, artifacts, and how it is. */
export function registerHub(app: Server, hub: HubRoutes): void {
  app.get(
    '/agents',
    { schema: { summary: 'Agents this hub knows', tags: ['agents'], response: { 200: hubAgentsSchema } } },
    () => hub.registry.list(),
  )

  app.get(
    '/workspaces/:name',
    {
      schema: {
        summary: 'A repository that agents may work in',
        tags: ['workspaces'],
        params: z.strictObject({ name: nameSchema }),
        response: { 200: hubWorkspaceSchema, ...errorResponses('WORKSPACE_NOT_FOUND') },
      },
    },
    (request) => hub.workspaces.describe(request.params.name),
  )

  app.get(
    '/artifacts/:digest',
    {
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
