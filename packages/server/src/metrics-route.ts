import type { Role } from '@orchestrator/contract'
import { contentResponse } from './content-response.ts'
import { errorResponses } from './error-responses.ts'
import type { Metrics } from './metrics.ts'
import { HTTP_SECONDS } from './process-metrics.ts'
import type { Server } from './server-types.ts'

/** `GET /metrics`, for who may read; and every answer's time, by the route that gave it. Register it before the routes. */
export function metricsRoute(app: Server, metrics: Metrics, config: { roles?: readonly Role[] } = {}): void {
  app.addHook('onResponse', (request, reply, done) => {
    const route = request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown')
    metrics.note(
      HTTP_SECONDS,
      { method: request.method, route, status: String(reply.statusCode) },
      reply.elapsedTime / 1000,
    )
    done()
  })
  app.get(
    '/metrics',
    {
      config,
      schema: {
        tags: ['service'],
        summary: 'Figures for Prometheus, in its text format',
        response: { ...contentResponse('text/plain', 'One figure a line'), ...errorResponses() },
      },
    },
    async (_request, reply) => {
      const { content_type, text } = await metrics.print()
      // As it is: the schema of a route serialises JSON.
      return reply.type(content_type).header('cache-control', 'no-store').serializer(String).send(text)
    },
  )
}
