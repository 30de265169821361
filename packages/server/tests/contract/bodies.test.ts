import { once } from 'node:events'
import { text } from 'node:stream/consumers'

import { ServiceError } from '@orchestrator/contract'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { openRaw, parseAnswer, rawRequest, sendRaw } from '../raw-connection.ts'
import { startTestApp, type TestApp } from '../test-app.ts'

const ID = '6f0d0dbb-52c8-4b3f-9d5d-1f2b1a0c7e11'
const GOOD = { workflow_type: 'specify', feature_description: 'Add a login page' }
const JSON_TYPE = { 'content-type': 'application/json' }

let service: TestApp
let thrown: Error
beforeAll(async () => {
  service = await startTestApp({ header_timeout_seconds: 1, request_timeout_seconds: 1.5, thrown: () => thrown })
})
afterAll(() => service.app.close())

async function post(path: string, body: BodyInit | null, headers: Record<string, string> = JSON_TYPE) {
  const response = await fetch(`${service.url}${path}`, { method: 'POST', headers, body })
  return { status: response.status, headers: response.headers, body: await response.json() }
}

describe('a body', () => {
  test('that is right gets its answer', async () => {
    expect(await post('/things', JSON.stringify(GOOD))).toMatchObject({ status: 201, body: { by: 'local' } })
  })

  test.each([
    ['broken', '{"workflow_type":', 400, 'MALFORMED_JSON'],
    ['empty', '', 400, 'MALFORMED_JSON'],
    ['not UTF-8', new Uint8Array([0x22, 0xff, 0x22]), 400, 'MALFORMED_JSON'],
    ['null', 'null', 422, 'VALIDATION_ERROR'],
    ['a list', '[]', 422, 'VALIDATION_ERROR'],
    ['poisonous', '{"__proto__":{"role":"admin"}}', 422, 'VALIDATION_ERROR'],
    ['deep', `{"context":${'['.repeat(100)}${']'.repeat(100)}}`, 422, 'VALIDATION_ERROR'],
    ['of an unknown type', JSON.stringify({ ...GOOD, workflow_type: 'deploy' }), 400, 'INVALID_WORKFLOW_TYPE'],
    ['without a type', JSON.stringify({ feature_description: 'Add a login page' }), 422, 'VALIDATION_ERROR'],
    ['with a field too many', JSON.stringify({ ...GOOD, status: 'completed' }), 422, 'VALIDATION_ERROR'],
  ])('that is %s is refused', async (_, body, status, code) => {
    expect(await post('/things', body)).toMatchObject({ status, body: { error: { code } } })
  })

  test('with a trigger that is unknown, or the service’s own, is INVALID_TRIGGER', async () => {
    expect(await post(`/things/${ID}/advance`, '{"trigger":"start"}')).toMatchObject({
      status: 400,
      body: { error: { code: 'INVALID_TRIGGER' } },
    })
  })

  test('at a malformed id is INVALID_UUID', async () => {
    expect(await post('/things/7/advance', '{"trigger":"error"}')).toMatchObject({
      status: 400,
      body: { error: { code: 'INVALID_UUID' } },
    })
  })

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'application/json-patch+json',
    'application/json; charset=utf-16',
    'application/json; charset=utf-8; x=1',
    'application/json, text/plain',
    'json',
    ';',
    '',
  ])('of type %o is UNSUPPORTED_MEDIA_TYPE', async (type) => {
    const request = rawRequest(
      'POST /things',
      { Host: `localhost:${service.port}`, 'Content-Type': type, 'Content-Length': '2' },
      '{}',
    )
    const answer = await sendRaw(service.port, request)
    expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
  })

  test('without a type, or compressed, is UNSUPPORTED_MEDIA_TYPE', async () => {
    const Host = `localhost:${service.port}`
    const untyped = await sendRaw(service.port, rawRequest('POST /things', { Host, 'Content-Length': '2' }, '{}'))
    const packed = await post('/things', JSON.stringify(GOOD), { ...JSON_TYPE, 'content-encoding': 'gzip' })
    expect([untyped.status, packed.status]).toEqual([415, 415])
  })

  test.each(['application/json', 'application/json;charset=utf-8', 'Application/JSON; charset="UTF-8"'])(
    'of type %s is JSON',
    async (type) => {
      expect(await post('/things', JSON.stringify(GOOD), { 'content-type': type })).toMatchObject({ status: 201 })
    },
  )

  test('may be left out where the route says so, and nowhere else', async () => {
    expect(await post(`/things/${ID}/cancel`, null, {})).toMatchObject({ status: 200, body: { reason: null } })
    expect(await post(`/things/${ID}/cancel`, '{"reason":"no"}')).toMatchObject({ status: 200, body: { reason: 'no' } })
    expect(await post('/things', null, {})).toMatchObject({
      status: 422,
      body: { error: { details: [{ field: 'body' }] } },
    })
  })

  test('that the route does not take is refused, and so is a query', async () => {
    expect(await post('/throws', '{"role":"admin"}')).toMatchObject({ status: 422 })
    const response = await fetch(`${service.url}/health?role=admin`)
    expect([response.status, (await response.json()).error.details]).toEqual([
      422,
      [{ field: 'role', message: 'is not a known query parameter' }],
    ])
  })
})

describe('a body that is too large', () => {
  const large = 'x'.repeat(3 * 1024 * 1024)

  test('is BODY_TOO_LARGE, and the answer reaches a client that is still sending', async () => {
    const body = JSON.stringify({ ...GOOD, feature_description: large })
    for (const attempt of [1, 2, 3, 4, 5]) {
      const answer = await post('/things', body)
      expect([attempt, answer.status, answer.body.error.code]).toEqual([attempt, 413, 'BODY_TOO_LARGE'])
    }
  })

  test('is so without an announced length too', async () => {
    const init = { method: 'POST', headers: JSON_TYPE, body: new Blob([large]).stream(), duplex: 'half' }
    const response = await fetch(`${service.url}/things`, init)
    expect([response.status, (await response.json()).error.code]).toEqual([413, 'BODY_TOO_LARGE'])
  })

  test('can be sent to its end by a client that reads only then', async () => {
    // More than the sockets between the two can hold.
    const huge = 'x'.repeat(40 * 1024 * 1024)
    const socket = await openRaw(service.port)
    socket.pause()
    socket.write(
      `POST /things HTTP/1.1\r\nHost: localhost:${service.port}\r\nContent-Type: application/json\r\nContent-Length: ${huge.length}\r\n\r\n`,
    )
    const sent = await new Promise((resolve) => socket.write(huge, resolve))
    const answered = once(socket, 'data')
    socket.resume()
    const [answer] = await answered
    socket.destroy()
    expect([sent, parseAnswer(String(answer)).status]).toEqual([null, 413])
  })

  test('just below the limit is looked at', async () => {
    const padding = 'x'.repeat(1024 * 1024 - 200)
    expect(await post('/things', JSON.stringify({ ...GOOD, feature_description: padding }))).toMatchObject({
      status: 422,
    })
  })
})

describe('what is no request', () => {
  test.each([
    ['noise', 'hello there\r\n\r\n'],
    ['a bad version', 'GET / HTTP/9.9\r\n\r\n'],
    ['two lengths', 'POST /things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab'],
    [
      'length and chunks',
      'POST /things HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    ['a header with a space', 'GET / HTTP/1.1\r\nBad Header: x\r\n\r\n'],
    ['headers without end', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`],
  ])('%s is MALFORMED_REQUEST, in the one shape of an error', async (_, request) => {
    const answer = await sendRaw(service.port, request)
    expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([400, 'MALFORMED_REQUEST'])
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  })
})

describe('a client that is too slow', () => {
  const head = () =>
    `POST /things HTTP/1.1\r\nHost: localhost:${service.port}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n`

  test.each([
    ['says nothing', () => ''],
    ['stops in its headers', () => 'GET /health HTTP/1.1\r\nHost: loc'],
    ['stops in its body', () => `${head()}{"workflow_type"`],
  ])('that %s is cut with REQUEST_TIMEOUT', async (_, sent) => {
    const socket = await openRaw(service.port)
    socket.write(sent())
    const answer = parseAnswer(await text(socket))
    expect([answer.status, JSON.parse(answer.body).error.code]).toEqual([408, 'REQUEST_TIMEOUT'])
  })

  test('that drips its body is cut all the same', async () => {
    const socket = await openRaw(service.port)
    socket.on('error', () => undefined).write(head())
    const drip = setInterval(() => socket.write('x'), 100)
    const started = performance.now()
    socket.resume()
    await once(socket, 'close')
    clearInterval(drip)
    // By the drops alone it would be whole after ten seconds.
    expect(performance.now() - started).toBeLessThan(9_000)
  })

  test('that drips on after its answer is cut too', async () => {
    const socket = await openRaw(service.port)
    socket.on('error', () => undefined)
    socket.write(`POST /nope HTTP/1.1\r\nHost: localhost:${service.port}\r\nContent-Length: 100000\r\n\r\n`)
    const drip = setInterval(() => socket.write('x'), 100)
    const answer = parseAnswer(await text(socket))
    clearInterval(drip)
    expect(answer.status).toBe(404)
  })
})

describe('what a handler throws', () => {
  test.each([
    ['a refusal', () => new ServiceError('STALE_REVIEW', 'Look again.'), 409, 'STALE_REVIEW', null],
    ['a refusal that time may heal', () => new ServiceError('UNAVAILABLE', 'Later.'), 503, 'UNAVAILABLE', '5'],
    ['a limit', () => new ServiceError('RATE_LIMITED', 'Slower.'), 429, 'RATE_LIMITED', '5'],
    [
      'a full disk',
      () => Object.assign(new Error('database or disk is full'), { errcode: 13 }),
      507,
      'STORAGE_FULL',
      null,
    ],
  ])('%s becomes its answer', async (_, make, status, code, retry_after) => {
    thrown = make()
    const answer = await post('/throws', null, {})
    expect([answer.status, answer.body.error.code, answer.headers.get('retry-after')]).toEqual([
      status,
      code,
      retry_after,
    ])
  })

  test('an error of ours tells the request id and is logged whole', async () => {
    thrown = new Error('secret detail')
    const { status, headers, body } = await post('/throws', null, {})
    const id = headers.get('x-request-id')
    expect([status, body.error.code]).toEqual([500, 'INTERNAL_ERROR'])
    expect(body.error.message).toContain(id)
    expect(JSON.stringify(body)).not.toMatch(/secret detail|\.ts/)
    await expect
      .poll(() => service.log.find((line) => line.request_id === id && line.level === 50))
      .toMatchObject({ err: { message: 'secret detail', stack: expect.stringContaining('bodies.test.ts') } })
  })
})
