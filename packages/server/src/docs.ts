import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'

import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { ROLES } from '@orchestrator/contract'

import { isLoopback } from './host-allow-list.ts'
import { documentEdgeErrors, openApiOptions } from './openapi-document.ts'
import { DOCS_CONTENT_SECURITY_POLICY } from './security-headers.ts'
import type { Server, ServerOptions } from './server-types.ts'

/**
 * `/openapi.json` (OpenAPI 3.1, from the routes' schemas), Swagger UI at `/docs`, ReDoc at `/redoc`.
 * Every file of theirs is served from here: they work offline. Open to everybody only on loopback.
 */
export async function registerDocs(app: Server, o: ServerOptions): Promise<void> {
  app.addHook('onRoute', documentEdgeErrors)
  await app.register(swagger, openApiOptions({ title: o.title, version: o.version, description: o.description }))
  await app.register(async (docs) => {
    docs.addHook('onRoute', (route) => {
      route.config = { ...route.config, public: isLoopback(o.host), roles: ROLES }
      route.schema = { ...route.schema, hide: true }
    })
    docs.addHook('onSend', async (_request, reply) => {
      reply.header('content-security-policy', DOCS_CONTENT_SECURITY_POLICY).header('cache-control', 'no-cache')
    })
    docs.get('/openapi.json', () => app.swagger())
    docs.get('/redoc', (_request, reply) => reply.type('text/html; charset=utf-8').send(redocPage(o.title)))
    docs.get('/redoc/redoc.js', async (_request, reply) =>
      reply.type('text/javascript; charset=utf-8').send(await redocScript()),
    )
    await docs.register(swaggerUi, { routePrefix: '/docs', theme: { title: o.title } })
  })
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
