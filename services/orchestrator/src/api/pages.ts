import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import { ServiceError } from '@orchestrator/contract'
import type { Server } from '@orchestrator/server'
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
export async function pageRoutes(app: Server, { version, dashboard }: PageRoutesOptions): Promise<void> {
  app.addConstraintStrategy({
    name: 'page',
    mustMatchWhenDerived: false,
    storage: () => {
      const handlers = new Map()
      return { get: (key) => handlers.get(key) ?? null, set: (key, handler) => void handlers.set(key, handler) }
    },
    deriveConstraint: (request) => (request.headers.accept?.includes('text/html') === true ? 'html' : undefined),
  })

  await app.register(fastifyStatic, {
    root: dashboard,
    serve: false,
    // It is built at the first start, a moment after this.
    suppressWarning: true,
    cacheControl: false,
  })

  for (const url of PAGES) {
    app.get(
      url,
      { constraints: { page: 'html' }, config: { public: true }, schema: { hide: true } },
      (_request, reply) => {
        if (!existsSync(join(dashboard, 'index.html'))) {
          throw new ServiceError(
            'UNAVAILABLE',
            'The dashboard has not been built yet: run `npm run build`, then load this page again.',
          )
        }
        return reply.header('vary', 'accept').header('cache-control', 'no-cache').sendFile('index.html')
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
      reply
        .header('cache-control', 'public, max-age=31536000, immutable')
        .sendFile(request.params.file, join(dashboard, 'assets')),
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
