import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterAll, describe, expect, it } from 'vitest'

import { startService } from '../service.ts'

const unbuilt = await startService()
const built = await startService()
const dashboard = join(built.folder, 'dashboard')
await mkdir(join(dashboard, 'assets'), { recursive: true })
await writeFile(join(dashboard, 'index.html'), '<!doctype html><title>Orchestrator</title>')
await writeFile(join(dashboard, 'assets', 'main-abc123.js'), 'export {}')
await writeFile(join(built.folder, 'secret.txt'), 'secret')
afterAll(async () => {
  await Promise.all([unbuilt.close(), built.close()])
})

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

describe('GET /', () => {
  it.each([undefined, '*/*', 'application/json', 'application/json, */*'])(
    'says what this is to %s',
    async (accept) => {
      const { status, body, headers } = await built.request(
        'GET',
        '/',
        undefined,
        accept === undefined ? {} : { accept },
      )
      expect(status).toBe(200)
      expect(body).toEqual({ service: 'orchestrator', version: '0.1.0', docs: '/docs' })
      expect(headers.get('vary')).toContain('accept')
    },
  )

  it.each(['/', '/workflows', '/features', '/new', '/settings', '/workflows/00000000-0000-4000-8000-000000000000'])(
    'is the dashboard for a browser at %s',
    async (path) => {
      const { status, text, headers } = await built.request('GET', path, undefined, { accept: BROWSER })
      expect(status).toBe(200)
      expect(headers.get('content-type')).toContain('text/html')
      expect(headers.get('vary')).toContain('accept')
      expect(headers.get('content-security-policy')).toContain("default-src 'self'")
      expect(text).toContain('<title>Orchestrator</title>')
    },
  )

  it('says how to build the dashboard where it was not', async () => {
    const { status, body } = await unbuilt.request('GET', '/', undefined, { accept: BROWSER })
    expect(status).toBe(503)
    expect(body.error.message).toContain('npm run build')
  })

  it('leaves the API to those who ask for JSON', async () => {
    expect((await built.request('GET', '/workflows', undefined, { accept: 'application/json' })).body.items).toEqual([])
  })
})

describe('assets', () => {
  it('are served, and kept', async () => {
    const { status, headers } = await built.request('GET', '/assets/main-abc123.js')
    expect(status).toBe(200)
    expect(headers.get('content-type')).toContain('javascript')
    expect(headers.get('cache-control')).toContain('immutable')
  })

  it.each([
    '/assets/..%2f..%2fsecret.txt',
    '/assets/%2e%2e%2fsecret.txt',
    '/assets/....//secret.txt',
    '/assets/%5c..%5csecret.txt',
    '/assets/missing.js',
    '/secret.txt',
    '/..%2fsecret.txt',
  ])('%s leads nowhere', async (path) => {
    const { status, text } = await built.request('GET', path)
    expect(status).toBeGreaterThanOrEqual(404)
    expect(status).toBeLessThan(500)
    expect(text).not.toBe('secret')
  })
})

describe('the documentation', () => {
  /** Every file a page names, and what those name in turn. */
  async function filesOf(path: string): Promise<Map<string, string>> {
    const files = new Map<string, string>()
    const open = [path]
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { text, status } = await built.request('GET', next, undefined, { accept: BROWSER })
      expect([next, status]).toEqual([next, 200])
      files.set(next, text)
      const isPage = !next.endsWith('.js') && !next.endsWith('.css')
      const named = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target = '']) => target)
      open.push(...named.filter((target) => isPage && !files.has(target) && !target.startsWith('data:')))
    }
    return files
  }

  it.each(['/docs', '/redoc'])('%s loads nothing from elsewhere', async (page) => {
    const files = await filesOf(page)
    expect(files.size).toBeGreaterThan(2)
    expect([...files.keys()].filter((path) => !path.startsWith('/'))).toEqual([])
    const styles = [...files].filter(([path]) => path.endsWith('.css')).map(([, text]) => text)
    for (const style of styles) expect(style).not.toMatch(/@import|url\(["']?https?:/)
    const policy = (await built.request('GET', page, undefined, { accept: BROWSER })).headers.get(
      'content-security-policy',
    )
    expect(policy).toContain("default-src 'self'")
    expect(policy).not.toMatch(/https?:/)
    expect([...files.values()].join('')).not.toContain('cdn.redoc.ly')
  })

  it('describes what is there, in one document', async () => {
    const { body, status } = await built.request('GET', '/openapi.json')
    expect(status).toBe(200)
    expect(body.openapi).toBe('3.1.0')
    expect(body.info).toMatchObject({ title: 'Orchestrator', version: '0.1.0' })
    expect(Object.keys(body.paths)).toEqual(
      expect.arrayContaining(['/workflows', '/workflows/{id}/advance', '/health']),
    )
  })
})
