import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ServiceError } from '@orchestrator/contract'
import type { Server } from '@orchestrator/server'
import type { FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'

/** The dashboard's own paths. Some are the API's too: who asks for `text/html` by name gets the page. */
const PAGES = ['/', '/workflows', '/workflows/:id', '/features', '/features/:feature_id', '/new', '/settings']

const aboutSchema = z.object({ service: z.string(), version: z.string(), docs: z.string() }).meta({ id: 'About' })

export interface PageRoutesOptions {
  version: string
  /** Folder of the built dashboard. */
  dashboard: string
}

/** The dashboard, for browsers; a few words about the service for everybody else. */
export function pageRoutes(app: Server, { version, dashboard }: PageRoutesOptions): void {
  app.addConstraintStrategy({
    name: 'page',
    mustMatchWhenDerived: false,
    storage: () => {
      const handlers = new Map()
      return { get: (key) => handlers.get(key) ?? null, set: (key, handler) => void handlers.set(key, handler) }
    },
    deriveConstraint: (request) => (request.headers.accept?.includes('text/html') === true ? 'html' : undefined),
  })

  for (const url of PAGES) {
    app.get(
      url,
      { constraints: { page: 'html' }, config: { public: true }, schema: { hide: true } },
      (request, reply) => {
        if (!existsSync(join(dashboard, 'index.html'))) {
          throw new ServiceError(
            'UNAVAILABLE',
            'The dashboard has not been built yet: run `npm run build`, then load this page again.',
          )
        }
        return sendFile(
          request,
          reply.header('vary', 'accept').header('cache-control', 'no-cache'),
          dashboard,
          'index.html',
        )
      },
    )
  }

  app.get(
    '/assets/:file',
    {
      config: { public: true },
      schema: { hide: true, params: z.strictObject({ file: z.string().regex(/^[\w.-]+$/) }) },
    },
    (request, reply) =>
      sendFile(
        request,
        reply.header('cache-control', 'public, max-age=31536000, immutable'),
        join(dashboard, 'assets'),
        request.params.file,
      ),
  )

  app.get(
    '/',
    {
      config: { public: true },
      schema: {
        tags: ['service'],
        summary: 'The dashboard for browsers; for others, what this is',
        response: { 200: aboutSchema },
      },
    },
    async (_request, reply) => reply.header('vary', 'accept').send({ service: 'orchestrator', version, docs: '/docs' }),
  )
}

async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  root: string,
  file: string,
): Promise<FastifyReply> {
  // With the first page that somebody opens.
  const { send } = await import('@fastify/send')
  const { statusCode, headers, stream } = await send(request.raw, file, { root, cacheControl: false })
  if (statusCode === 404) throw new ServiceError('ROUTE_NOT_FOUND', 'There is no such file: load the page again.')
  return reply.code(statusCode).headers(headers).send(stream)
}
