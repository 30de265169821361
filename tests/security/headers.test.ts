import { once } from 'node:events'
import { connect } from 'node:net'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { SECURITY_HEADERS } from '../../packages/server/src/security-headers.ts'
import { rawRequest, requestText } from '../../services/orchestrator/tests/raw-request.ts'
import { OPEN_SERVICES, type EitherService } from './both-services.ts'
import { onEach } from './wide-service.ts'

const ID = '00000000-0000-4000-8000-000000000000'

/** Names and values of a head as it came over the wire. */
function headersOf(head: string): Map<string, string> {
  const lines = head.split('\r\n').slice(1)
  return new Map(lines.map((line) => [line.split(':', 1)[0]!.toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]))
}

/** What is missing, or says less than it should. */
function weaknesses(head: string): string[] {
  const headers = headersOf(head)
  const policy = headers.get('content-security-policy') ?? ''
  return [
    ...Object.keys(SECURITY_HEADERS)
      .filter((name) => !headers.has(name))
      .map((name) => `no ${name}`),
    ...["default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"]
      .filter((directive) => !policy.includes(directive))
      .map((directive) => `no ${directive}`),
    ...(/script-src[^;]*unsafe|default-src[^;]*unsafe/.test(policy) ? ['inline scripts'] : []),
    ...(headers.get('x-content-type-options') === 'nosniff' ? [] : ['sniffing']),
    ...['server', 'x-powered-by', 'access-control-allow-origin'].filter((name) => headers.has(name)),
    ...(/^[0-9a-f-]{36}$/.test(headers.get('x-request-id') ?? '') ? [] : ['no request id']),
  ]
}

/** The head of an answer that does not end by itself. */
async function headOfStream(url: string, request: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.setEncoding('utf8').write(request)
  let text = ''
  while (!text.includes('\r\n\r\n')) text += String((await once(socket, 'data'))[0])
  socket.destroy()
  return text.split('\r\n\r\n', 1)[0] ?? ''
}

describe.each(OPEN_SERVICES)('every answer of the %s carries the security headers', (_name, start) => {
  let service: EitherService
  let host: string
  beforeAll(async () => {
    service = await start()
    host = `127.0.0.1:${service.port}`
  })
  afterAll(() => service.close())

  const findWeak = async (requests: string[]) => {
    const answers = await onEach(requests, async (request) => ({
      request,
      ...(await rawRequest(service.url, request)),
    }))
    expect(answers.filter(({ status }) => Number.isNaN(status))).toEqual([])
    return answers
      .map(({ request, status, head }) => ({ request: request.slice(0, 80), status, weak: weaknesses(head) }))
      .filter(({ weak }) => weak.length > 0)
  }

  it('of every route, done or refused', async () => {
    const operations = Object.entries(service.document.paths)
      .filter(([path]) => !path.endsWith('/events'))
      .flatMap(([path, methods]) => Object.keys(methods).map((method) => [method.toUpperCase(), path] as const))
    const requests = operations.flatMap(([method, path]) =>
      [ID, '001-login', '0'.repeat(64), 'no%20id'].map((id) =>
        requestText(method, path.replaceAll(/\{\w+\}/g, id), { host }),
      ),
    )
    expect(requests.length).toBeGreaterThanOrEqual(48)
    expect(await findWeak(requests)).toEqual([])
  })

  it('of what is no route: files, documentation, refusals of the edge, bytes that are no request', async () => {
    const json = { host, 'content-type': 'application/json' }
    const requests = [
      ...[
        '/docs',
        '/redoc',
        '/openapi.json',
        '/docs/static/swagger-ui.css',
        '/redoc/redoc.js',
        '/assets/x.js',
        '/',
      ].map((path) => requestText('GET', path, { host })),
      requestText('GET', '/', { host, accept: 'text/html' }),
      requestText('GET', '/nothing', { host }),
      requestText('PUT', '/health', { host }),
      requestText('OPTIONS', '/health', { host }),
      requestText('HEAD', '/health', { host }),
      requestText('GET', '/health', { host: 'evil.example' }),
      requestText('GET', '/health', { host, origin: 'http://evil.example' }),
      requestText('GET', '/%zz', { host }),
      requestText('POST', '/session', { ...json, 'content-length': '4' }, '{{{{'),
      requestText('POST', '/sessions', { ...json, 'content-length': '4' }, '{{{{'),
      requestText('POST', '/session', { ...json, 'content-length': '99999999' }, '{'),
      requestText('POST', '/sessions', { host, 'content-type': 'text/plain', 'content-length': '1' }, 'x'),
      requestText('GET', '/health', { host, 'x-long': 'x'.repeat(20_000) }),
      requestText('POST', '/sessions', { ...json, expect: '200-ok', 'content-length': '0' }),
      'nonsense\r\n\r\n',
      'GET /health HTTP/9.9\r\n\r\n',
      `GET /health HTTP/1.1\r\nHost: ${host}\r\nContent-Length: x\r\n\r\n`,
    ]
    expect(await findWeak(requests)).toEqual([])
  })

  it('of event streams', async () => {
    const path = await service.openStream()
    const head = await headOfStream(service.url, requestText('GET', path, { host }))
    expect([head.split('\r\n', 1)[0], weaknesses(head)]).toEqual(['HTTP/1.1 200 OK', []])
  })
})
