import type { FastifyRequest } from 'fastify'

import type { Server } from './server-types.ts'
import { readTraceparent, UNTRACED, type Span, type Tracing } from './tracing.ts'

/** A span for each request, as part of the trace that its `traceparent` names; `request.traceparent` is for what it leads to. */
export function traceRequests(app: Server, tracing: Tracing): void {
  const spans = new WeakMap<FastifyRequest, Span>()
  app.decorateRequest('traceparent', {
    getter() {
      return spans.get(this)?.traceparent ?? readTraceparent(this.headers['traceparent'])
    },
  })
  if (tracing === UNTRACED) return
  app.addHook('onRequest', async (request) => {
    const parent = readTraceparent(request.headers['traceparent'])
    const route = request.is404 ? 'unknown' : (request.routeOptions.url ?? 'unknown')
    const attributes = { 'http.request.method': request.method, 'http.route': route, request_id: request.id }
    spans.set(request, tracing.start(`${request.method} ${route}`, { parent, kind: 'server', attributes }))
  })
  app.addHook('onResponse', async (request, reply) => {
    const span = spans.get(request)
    span?.set({ 'http.response.status_code': reply.statusCode })
    span?.end(reply.statusCode >= 500 ? `answered ${reply.statusCode}` : undefined)
  })
}
