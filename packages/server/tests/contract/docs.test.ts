import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { startTestApp, type TestApp } from '../test-app.ts'

let service: TestApp
beforeAll(async () => {
  service = await startTestApp()
})
afterAll(() => service.app.close())

interface Operation {
  requestBody?: { required: boolean; content: Record<string, { schema: unknown }> }
  responses: Record<string, { description: string; content?: Record<string, { schema: unknown }> }>
}
interface Document {
  openapi: string
  info: unknown
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, unknown> }
}

async function readDocument(): Promise<Document> {
  const response = await fetch(`${service.url}/openapi.json`)
  return response.json()
}

describe('/openapi.json', () => {
  test('is OpenAPI 3.1 and knows the routes, not the docs', async () => {
    const document = await readDocument()
    expect(document.openapi).toBe('3.1.0')
    expect(document.info).toEqual({ title: 'Test service', version: '1.2.3', description: 'For tests' })
    expect(Object.keys(document.paths).toSorted()).toEqual([
      '/events',
      '/health',
      '/things',
      '/things/{id}',
      '/things/{id}/advance',
      '/things/{id}/cancel',
      '/throws',
    ])
  })

  test('has a component for every reference, and no other', async () => {
    const document = await readDocument()
    const references = JSON.stringify(document).match(/(?<="\$ref":"#\/components\/schemas\/)[^"]+/g) ?? []
    expect(Object.keys(document.components.schemas)).toEqual([...new Set(references)].toSorted())
    expect(Object.keys(document.components.schemas)).toEqual(['CreateWorkflow', 'Error', 'TestCancel'])
  })

  test('tells what a body is and whether it may be left out', async () => {
    const { paths } = await readDocument()
    expect(paths['/things']?.post?.requestBody).toEqual({
      required: true,
      content: { 'application/json': { schema: { $ref: '#/components/schemas/CreateWorkflow' } } },
    })
    expect(paths['/things/{id}/cancel']?.post?.requestBody?.required).toBe(false)
  })

  test('tells every error of a route, its own and the edge’s', async () => {
    const { paths } = await readDocument()
    const responses = paths['/things']?.post?.responses ?? {}
    expect(Object.keys(responses)).toEqual([
      '201',
      '400',
      '401',
      '403',
      '408',
      '409',
      '413',
      '415',
      '421',
      '422',
      '500',
    ])
    expect(responses['409']).toEqual({
      description: 'Conflict: `FEATURE_BUSY`',
      content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
    })
    expect(Object.keys(paths['/health']?.get?.responses ?? {})).not.toContain('401')
  })
})

describe('the pages', () => {
  test.each(['/docs', '/docs/', '/redoc'])('%s loads everything from here', async (path) => {
    const response = await fetch(`${service.url}${path}`)
    const page = await response.text()
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page).toContain('Test service')
    expect(page).not.toMatch(/(src|href)=["']?(https?:)?\/\//)
    const files = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, file = '']) => new URL(file, `${service.url}${path}`),
    )
    expect(files.length).toBeGreaterThan(2)
    for (const file of files) {
      const answer = await fetch(file)
      expect([file.pathname, answer.status, file.origin]).toEqual([file.pathname, 200, service.url])
    }
  })

  test('their style sheets and scripts load nothing from elsewhere', async () => {
    const css = await (await fetch(`${service.url}/docs/static/swagger-ui.css`)).text()
    expect(css).not.toMatch(/@import|url\(["']?(https?:)?\/\//)
    const redoc = await (await fetch(`${service.url}/redoc/redoc.js`)).text()
    expect(redoc.length).toBeGreaterThan(500_000)
    expect(redoc).not.toContain('cdn.redoc')
    expect(await (await fetch(`${service.url}/docs/static/swagger-initializer.js`)).text()).toContain(
      'validatorUrl: null',
    )
  })

  test('have a policy that keeps them from trying', async () => {
    const { headers } = await fetch(`${service.url}/redoc`)
    const policy = headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'self'")
    expect(policy).not.toMatch(/https?:|\*|unsafe-eval|script-src/)
  })
})
