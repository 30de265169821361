import { ServiceError } from '@orchestrator/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { rawRequest, sendRaw } from '../raw-connection.ts'
import { startTestApp, type TestApp } from '../test-app.ts'

const ID = '6f0d0dbb-52c8-4b3f-9d5d-1f2b1a0c7e11'
const OK_BODY = JSON.stringify({ workflow_type: 'specify', feature_description: 'Add a login page' })

let open: TestApp
let wide: TestApp
beforeAll(async () => {
  open = await startTestApp()
  wide = await startTestApp({
    host: '0.0.0.0',
    allowed_hosts: ['team.example'],
    authenticate: async (request) => {
      if (request.headers.authorization === 'Bearer good')
        return { name: 'ada', role: 'admin', key_id: 'k1', workspaces: null }
      throw new ServiceError('UNAUTHORIZED', 'Send a key.')
    },
  })
})
afterAll(async () => {
  await open.app.close()
  await wide.app.close()
})

async function get(app: TestApp, path: string, init: RequestInit = {}) {
  const response = await fetch(`${app.url}${path}`, init)
  return { status: response.status, headers: response.headers, body: await response.json() }
}

describe('the host a request is meant for', () => {
  test.each([
    ['a foreign name', { Host: 'evil.example' }],
    ['a foreign name with our port', { Host: 'evil.example:8000' }],
    ['loopback at another port', { Host: 'localhost:1' }],
    ['nothing', { Host: '' }],
    ['something that is no host', { Host: 'localhost:8000@evil.example' }],
  ])('%s is MISDIRECTED_HOST on every path, public ones and unknown ones too', async (_, headers) => {
    for (const path of ['/health', '/things', '/nope', '/docs', '/openapi.json', '/%zz']) {
      const answer = await sendRaw(open.port, rawRequest(`GET ${path}`, headers))
      expect([path, answer.status, JSON.parse(answer.body).error.code]).toEqual([path, 421, 'MISDIRECTED_HOST'])
    }
  })

  test('a missing Host is refused like a foreign one, and so are two', async () => {
    const none = await sendRaw(open.port, rawRequest('GET /health', {}))
    const own = `localhost:${open.port}`
    const two = await sendRaw(
      open.port,
      `GET /health HTTP/1.1\r\nHost: ${own}\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
    )
    const old = await sendRaw(open.port, 'GET /health HTTP/1.0\r\n\r\n')
    expect([none.status, two.status, old.status]).toEqual([421, 421, 421])
  })

  test('a whole URL in the request line must name the same host', async () => {
    const own = `localhost:${open.port}`
    const foreign = await sendRaw(open.port, rawRequest('GET http://evil.example/health', { Host: own }))
    const same = await sendRaw(open.port, rawRequest(`GET http://${own}/health`, { Host: own }))
    expect([foreign.status, same.status]).toEqual([421, 200])
  })

  test.each(['localhost', '127.0.0.1', '[::1]'])('%s with our port is ours', async (name) => {
    const answer = await sendRaw(open.port, rawRequest('GET /health', { Host: `${name}:${open.port}` }))
    expect(answer.status).toBe(200)
  })

  test('a configured name is ours at any port', async () => {
    const hosts = ['team.example', 'team.example:9443', 'TEAM.example:80', 'other.example']
    const answers = await Promise.all(hosts.map((Host) => sendRaw(wide.port, rawRequest('GET /health', { Host }))))
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 421])
  })
})

describe('the site a request comes from', () => {
  const verbs = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

  test.each(verbs)('%s from a foreign page is FORBIDDEN', async (method) => {
    const Host = `localhost:${open.port}`
    const headers = [
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
    ]
    for (const header of headers) {
      const answer = await sendRaw(open.port, rawRequest(`${method} /health`, { Host, ...header }))
      expect([header, answer.status]).toEqual([header, 403])
    }
  })

  test('a link from anywhere opens a page', async () => {
    const Host = `localhost:${open.port}`
    const link = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document' }
    const read = await sendRaw(open.port, rawRequest('GET /health', { Host, ...link }))
    const form = await sendRaw(open.port, rawRequest(`POST /things/${ID}/cancel`, { Host, ...link }))
    const frame = await sendRaw(open.port, rawRequest('GET /health', { Host, ...link, 'Sec-Fetch-Dest': 'iframe' }))
    expect([read.status, form.status, frame.status]).toEqual([200, 403, 403])
  })

  test('our own page may do what it likes', async () => {
    const Host = `localhost:${open.port}`
    const own = { Host, Origin: `http://${Host}`, 'Sec-Fetch-Site': 'same-origin', 'Sec-Fetch-Mode': 'cors' }
    const answer = await sendRaw(open.port, rawRequest(`POST /things/${ID}/cancel`, own))
    expect(answer.status).toBe(200)
  })
})

describe('who asks', () => {
  const paths = [
    '/things',
    `/things/${ID}`,
    '/nope',
    '/things/x/health',
    '/health/',
    '/HEALTH',
    '//health',
    '/health%2f',
    '/%zz',
    '/docs',
    '/docs/json',
    '/docs/static/swagger-ui.css',
    '/redoc',
    '/openapi.json',
    '/events',
    '/',
  ]

  test.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND'])(
    'without a key, %s is UNAUTHORIZED wherever the route is not public, known or not',
    async (method) => {
      for (const path of paths) {
        const answer = await sendRaw(wide.port, rawRequest(`${method} ${path}`, { Host: 'team.example' }))
        expect([path, answer.status]).toEqual([path, 401])
      }
    },
  )

  test('with one, the route knows the actor', async () => {
    const headers = { authorization: 'Bearer good', 'content-type': 'application/json' }
    const answer = await get(wide, '/things', { method: 'POST', headers, body: OK_BODY })
    expect([answer.status, answer.body]).toEqual([201, { by: 'ada' }])
  })

  test('a public route asks nobody', async () => {
    expect((await get(wide, '/health')).status).toBe(200)
  })

  test('who may not ask is not told what is wrong with the body', async () => {
    const answer = await get(wide, '/things', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' })
    expect(answer.status).toBe(401)
  })
})

describe('paths and verbs', () => {
  test('an unknown path is ROUTE_NOT_FOUND, whatever the verb and body', async () => {
    const answers = [
      await get(open, '/nope'),
      await get(open, '/nope', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{broken' }),
      await get(open, '/nope', { method: 'DELETE', headers: { 'content-type': 'text/plain' }, body: 'x' }),
      await get(open, '/things/a/b/c'),
    ]
    expect(answers.map(({ status, body }) => `${status} ${body.error.code}`)).toEqual(
      Array(4).fill('404 ROUTE_NOT_FOUND'),
    )
  })

  test.each([
    ['DELETE', '/things', 'POST, OPTIONS'],
    ['GET', '/things', 'POST, OPTIONS'],
    ['POST', `/things/${ID}`, 'GET, HEAD, OPTIONS'],
    ['POST', '/things/not-a-uuid', 'GET, HEAD, OPTIONS'],
    ['PUT', '/health', 'GET, HEAD, OPTIONS'],
    ['POST', '/openapi.json', 'GET, HEAD, OPTIONS'],
  ])('%s %s is METHOD_NOT_ALLOWED with Allow: %s', async (method, path, allow) => {
    const answer = await get(open, path, { method })
    expect([answer.status, answer.headers.get('allow'), answer.body.error.code]).toEqual([
      405,
      allow,
      'METHOD_NOT_ALLOWED',
    ])
  })

  test('a verb nobody uses is METHOD_NOT_ALLOWED too', async () => {
    const answer = await sendRaw(open.port, rawRequest('PROPFIND /things', { Host: `localhost:${open.port}` }))
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'POST, OPTIONS'])
  })

  test('OPTIONS tells what a path takes', async () => {
    const response = await fetch(`${open.url}/things`, { method: 'OPTIONS' })
    expect([response.status, response.headers.get('allow'), await response.text()]).toEqual([204, 'POST, OPTIONS', ''])
  })

  test('HEAD answers as GET does, without the body', async () => {
    const response = await fetch(`${open.url}/health`, { method: 'HEAD' })
    expect([response.status, await response.text()]).toEqual([200, ''])
  })

  test('a path that is no URL is MALFORMED_REQUEST', async () => {
    const answer = await sendRaw(open.port, rawRequest('GET /things/%zz', { Host: `localhost:${open.port}` }))
    expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([400, 'MALFORMED_REQUEST'])
  })

  test('a very long id is an INVALID_UUID like any other', async () => {
    const answer = await get(open, `/things/${'a'.repeat(5000)}`)
    expect([answer.status, answer.body.error.code]).toEqual([400, 'INVALID_UUID'])
  })
})

describe('every answer', () => {
  test.each(['/health', '/nope', '/docs', '/redoc', '/openapi.json', `/things/${ID}`])(
    '%s carries the security headers',
    async (path) => {
      const { headers } = await fetch(`${open.url}${path}`)
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
      expect(headers.get('content-security-policy')).toContain("default-src 'self'")
      expect(headers.get('x-powered-by')).toBeNull()
      expect(headers.get('server')).toBeNull()
    },
  )

  test('carries a request id of ours, which the log knows', async () => {
    const { headers } = await get(open, '/nope', { headers: { 'x-request-id': 'mine', 'request-id': 'mine' } })
    const id = headers.get('x-request-id')
    expect(id).toMatch(/^[0-9a-f-]{36}$/)
    await expect
      .poll(() => open.log.find((line) => line.request_id === id))
      .toMatchObject({ path: '/nope', status: 404 })
  })
})
