import { ROLES, ServiceError } from '@orchestrator/contract'
import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'

import { isLoopback } from './host-allow-list.ts'
import { documentEdgeErrors } from './openapi-document.ts'
import { DOCS_CONTENT_SECURITY_POLICY } from './security-headers.ts'
import type { Server, ServerOptions } from './server-types.ts'

const PATHS = ['/openapi.json', '/redoc', '/redoc/redoc.js', '/docs', '/docs/*']

/** Headers of the documentation's answers that say how they travel, which is ours to say. */
const HOP_BY_HOP = new Set(['connection', 'date', 'keep-alive', 'transfer-encoding', 'content-length'])

/**
 * The documentation of all routes: see documentation.ts. It is made when somebody asks for it, since its
 * libraries take as much memory as the service itself. Open to everybody only on loopback.
 */
export async function registerDocs(app: Server, o: ServerOptions): Promise<void> {
  const routes: RouteOptions[] = []
  app.addHook('onRoute', (route) => {
    documentEdgeErrors(route)
    if (route.schema !== undefined && route.schema.hide !== true && route.method !== 'HEAD') routes.push(route)
  })

  let making: Promise<FastifyInstance> | undefined
  const make = async () => {
    const { createDocumentation } = await import('./documentation.ts')
    return createDocumentation(routes, o)
  }
  const answer = async (request: FastifyRequest, reply: FastifyReply) => {
    const documentation = await (making ??= make())
    const { statusCode, headers, rawPayload } = await documentation.inject({
      method: 'GET',
      url: request.url,
      headers: { host: request.headers.host ?? '' },
    })
    if (statusCode >= 400)
      throw new ServiceError('ROUTE_NOT_FOUND', 'There is nothing here; /docs lists what there is.')
    for (const [name, value] of Object.entries(headers))
      if (value !== undefined && !HOP_BY_HOP.has(name)) reply.header(name, value)
    return reply
      .code(statusCode)
      .header('content-security-policy', DOCS_CONTENT_SECURITY_POLICY)
      .header('cache-control', 'no-cache')
      .send(rawPayload)
  }
  for (const url of PATHS) {
    app.get(
      url,
      { config: { public: isLoopback(o.host), roles: ROLES, scope: 'shared' }, schema: { hide: true } },
      answer,
    )
  }
  app.addHook('onClose', async () => (await making)?.close())
}
