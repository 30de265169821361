import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { fastify, type FastifyInstance, type RouteOptions } from 'fastify'

import { openApiOptions } from './openapi-document.ts'
import type { ServerOptions } from './server-types.ts'
import { serializerCompiler } from './responses.ts'
import { validatorCompiler } from './validation.ts'

/**
 * An application that listens nowhere and answers what is asked of the documentation: `/openapi.json`
 * (OpenAPI 3.1, from the schemas of `routes`), Swagger UI at `/docs`, ReDoc at `/redoc`. Every file of
 * theirs is served from here: they work offline.
 */
export async function createDocumentation(routes: readonly RouteOptions[], o: ServerOptions): Promise<FastifyInstance> {
  const docs = fastify({ logger: false })
  docs.setValidatorCompiler(validatorCompiler)
  docs.setSerializerCompiler(serializerCompiler)
  await docs.register(swagger, openApiOptions({ title: o.title, version: o.version, description: o.description }))
  for (const { method, url, schema } of routes)
    docs.route({ method, url, ...(schema && { schema }), handler: () => '' })
  await docs.register(async (own) => {
    own.addHook('onRoute', (route) => void (route.schema = { ...route.schema, hide: true }))
    own.get('/openapi.json', () => docs.swagger())
    own.get('/redoc', (_request, reply) => reply.type('text/html; charset=utf-8').send(redocPage(o.title)))
    own.get('/redoc/redoc.js', async (_request, reply) =>
      reply.type('text/javascript; charset=utf-8').send(await redocScript()),
    )
    await own.register(swaggerUi, { routePrefix: '/docs', theme: { title: o.title } })
  })
  await docs.ready()
  return docs
}

function redocPage(title: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<link rel="icon" href="/docs/static/favicon-32x32.png">
<link rel="stylesheet" href="/docs/static/index.css">
</head>
<body>
<redoc spec-url="/openapi.json"></redoc>
<script src="/redoc/redoc.js"></script>
</body>
</html>
`
}

const require = createRequire(import.meta.url)
let script: Promise<string> | undefined

/** ReDoc's bundle without the one thing it loads from elsewhere, its maker's logo. Read when first asked for. */
function redocScript(): Promise<string> {
  script ??= readFile(require.resolve('redoc/bundles/redoc.standalone.js'), 'utf8').then((text) =>
    text.replaceAll(/https:\/\/cdn\.redoc\.ly\/[\w./-]+/g, 'data:,'),
  )
  return script
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
