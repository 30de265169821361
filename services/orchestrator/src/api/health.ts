import { healthSchema, hubAgentsSchema, ServiceError, type Health } from '@orchestrator/contract'
import { errorResponses, type Server } from '@orchestrator/server'

import { HubError, type AgentHub } from '../core/agent-hub.ts'
import { rolesFor } from '../core/privileges.ts'

export interface HealthRoutesOptions {
  hub: AgentHub
  checkHealth: () => Promise<Health>
}

export function healthRoutes(app: Server, { hub, checkHealth }: HealthRoutesOptions): void {
  app.get(
    '/health',
    {
      config: { public: true },
      schema: {
        tags: ['service'],
        summary: 'How the service is; 503 only when it is unhealthy',
        response: { 200: healthSchema, 503: healthSchema },
      },
    },
    async (_request, reply) => {
      const health = await checkHealth()
      return reply
        .code(health.status === 'unhealthy' ? 503 : 200)
        .header('cache-control', 'no-store')
        .send(health)
    },
  )

  app.get(
    '/agents',
    {
      config: { roles: rolesFor('read'), scope: 'shared' },
      schema: {
        tags: ['service'],
        summary: 'The agents that the hub knows',
        response: { 200: hubAgentsSchema, ...errorResponses('UNAVAILABLE') },
      },
    },
    async () => {
      try {
        return await hub.listAgents()
      } catch (error) {
        if (error instanceof HubError) throw new ServiceError('UNAVAILABLE', error.message, { cause: error })
        throw error
      }
    },
  )
}
