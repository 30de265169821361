import { once } from 'node:events'

import { afterEach, describe, expect, test, vi } from 'vitest'

import type { EventSource } from '../../src/index.ts'
import { openRaw } from '../raw-connection.ts'
import { startTestApp, type TestApp } from '../test-app.ts'

/** On a loaded machine; a server that waits for its streams waits for ever. */
const AT_ONCE_MS = 10_000

let service: TestApp
afterEach(() => service.app.close())

/** One event, then silence until the reader leaves; tells when it was told to end. */
function quietSource() {
  const ended = vi.fn<() => void>()
  const source: EventSource = async function* (signal) {
    try {
      yield { id: 1, event: 'first', data: { text: 'two\nlines' } }
      await once(signal, 'abort')
    } finally {
      ended()
    }
  }
  return { source, ended }
}

describe('an event stream', () => {
  test('has its headers, its retry time and its events, and ends with its source', async () => {
    service = await startTestApp()
    const response = await fetch(`${service.url}/events`)
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
    expect(response.headers.get('cache-control')).toBe('no-store, no-transform')
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    expect(await response.text()).toBe(
      'retry: 2000\n\nid: 1\nevent: tick\ndata: {"id":1}\n\nid: 2\nevent: tick\ndata: {"id":2}\n\nid: 3\nevent: tick\ndata: {"id":3}\n\n',
    )
  })

  test('goes on after the event a client saw last; the header goes before the query', async () => {
    service = await startTestApp()
    const byHeader = await fetch(`${service.url}/events?after=5`, { headers: { 'last-event-id': '7' } })
    const byQuery = await fetch(`${service.url}/events?after=5`)
    expect([(await byHeader.text()).match(/id: \d+/g), (await byQuery.text()).match(/id: \d+/g)]).toEqual([
      ['id: 8', 'id: 9', 'id: 10'],
      ['id: 6', 'id: 7', 'id: 8'],
    ])
  })

  test.each([
    ['?after=x', {}, 'after'],
    ['?after=-1', {}, 'after'],
    ['?after=1&after=2', {}, 'after'],
    ['?since=1', {}, 'since'],
    ['', { 'last-event-id': 'abc' }, 'Last-Event-ID'],
    ['', { 'last-event-id': '1.5' }, 'Last-Event-ID'],
  ])('refuses %o with %o', async (query, headers, field) => {
    service = await startTestApp()
    const response = await fetch(`${service.url}/events${query}`, { headers })
    expect([response.status, (await response.json()).error]).toMatchObject([
      422,
      { code: 'VALIDATION_ERROR', details: [{ field }] },
    ])
  })

  test('opens at once, though nothing has happened, and keeps itself alive', async () => {
    service = await startTestApp({ events: () => neverAnything(), streams: { heartbeat_seconds: 0.05 } })
    const leaving = new AbortController()
    const response = await fetch(`${service.url}/events`, { signal: leaving.signal })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let seen = ''
    while (!seen.includes(': heartbeat\n\n: heartbeat\n\n')) seen += (await reader.read()).value ?? ''
    expect(seen).toMatch(/^retry: 2000\n\n/)
    leaving.abort()
  })

  test('writes data as one line', async () => {
    const { source } = quietSource()
    service = await startTestApp({ events: source })
    const leaving = new AbortController()
    const response = await fetch(`${service.url}/events`, { signal: leaving.signal })
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let seen = ''
    while (!seen.endsWith('}\n\n')) seen += (await reader.read()).value ?? ''
    expect(seen).toContain('data: {"text":"two\\nlines"}\n\n')
    leaving.abort()
  })

  test('ends its source when the client leaves', async () => {
    const { source, ended } = quietSource()
    service = await startTestApp({ events: source })
    const leaving = new AbortController()
    await fetch(`${service.url}/events`, { signal: leaving.signal })
    leaving.abort()
    await expect.poll(() => ended.mock.calls.length).toBe(1)
    await expect.poll(() => service.app.open_streams.size).toBe(0)
  })

  test('is not left open for a client that left before it began', async () => {
    const { source, ended } = quietSource()
    const asked = Promise.withResolvers<void>()
    const looked_up = Promise.withResolvers<void>()
    service = await startTestApp({
      events: source,
      authenticate: async () => {
        asked.resolve()
        await looked_up.promise
        return { name: 'Robin', role: 'viewer', key_id: 'one', workspaces: null }
      },
    })
    const leaving = new AbortController()
    const left = fetch(`${service.url}/events`, { signal: leaving.signal }).then(
      () => 'answered',
      () => 'left',
    )
    await asked.promise
    leaving.abort()
    expect(await left).toBe('left')
    const connections = () => new Promise((resolve) => service.app.server.getConnections((_, count) => resolve(count)))
    await expect.poll(connections).toBe(0)
    const added = vi.spyOn(service.app.open_streams, 'add')
    looked_up.resolve()
    await expect.poll(() => added.mock.calls.length).toBe(1)
    await expect.poll(() => service.app.open_streams.size).toBe(0)
    expect(ended).not.toHaveBeenCalled()
  })

  test('ends at once when the server closes', async () => {
    const { source, ended } = quietSource()
    service = await startTestApp({ events: source })
    const streams = await Promise.all(Array.from({ length: 20 }, () => fetch(`${service.url}/events`)))
    const started = performance.now()
    await service.app.close()
    expect(performance.now() - started).toBeLessThan(AT_ONCE_MS)
    expect(ended).toHaveBeenCalledTimes(20)
    const texts = await Promise.all(streams.map((stream) => stream.text()))
    expect(texts.every((text) => text.includes('event: first'))).toBe(true)
  })

  test('a source that cannot be ended does not hold the server', async () => {
    service = await startTestApp({ events: neverAnything() })
    await fetch(`${service.url}/events`)
    const started = performance.now()
    await service.app.close()
    expect(performance.now() - started).toBeLessThan(AT_ONCE_MS)
  })

  test('waits for a slow reader instead of piling up', async () => {
    let made = 0
    service = await startTestApp({
      events: async function* () {
        for (made = 1; made <= 100_000; made++) yield { id: made, event: 'big', data: 'x'.repeat(10_000) }
      },
    })
    const socket = await openRaw(service.port)
    socket.pause()
    socket.write(`GET /events HTTP/1.1\r\nHost: localhost:${service.port}\r\n\r\n`)
    await expect.poll(() => made).toBeGreaterThan(1)
    let before = 0
    const hasStopped = () => {
      const same = made === before
      before = made
      return same
    }
    await expect.poll(hasStopped, { interval: 200, timeout: 10_000 }).toBe(true)
    expect(made).toBeLessThan(2_000)
    socket.destroy()
    await expect.poll(() => service.app.open_streams.size).toBe(0)
  })

  test('a source that fails ends the stream and is logged', async () => {
    service = await startTestApp({
      events: async function* () {
        yield { id: 1, event: 'first', data: {} }
        throw new Error('the store went away')
      },
    })
    const response = await fetch(`${service.url}/events`)
    expect(await response.text()).toContain('id: 1')
    await expect
      .poll(() => service.log.find((line) => line.level === 50))
      .toMatchObject({ err: { message: 'the store went away' } })
  })

  test('is one of a bounded number, and makes room when it ends', async () => {
    service = await startTestApp({ events: neverAnything, streams: { max: 3 } })
    const leaving = new AbortController()
    for (let count = 0; count < 3; count++) await fetch(`${service.url}/events`, { signal: leaving.signal })
    const refused = await fetch(`${service.url}/events`)
    expect([refused.status, refused.headers.get('retry-after'), (await refused.json()).error]).toMatchObject([
      503,
      '5',
      { code: 'UNAVAILABLE', message: expect.stringContaining('holds 3 event streams') },
    ])
    leaving.abort()
    await expect.poll(() => service.app.open_streams.size).toBe(0)
    expect((await fetch(`${service.url}/events`, { method: 'HEAD' })).status).toBe(200)
  })

  test('is one of a bounded number with one key, whatever others have open', async () => {
    let key_id = 'one'
    service = await startTestApp({
      events: neverAnything,
      streams: { max_per_key: 2 },
      authenticate: async () => ({ name: 'Robin', role: 'viewer', key_id, workspaces: null }),
    })
    const leaving = new AbortController()
    const open = async () => (await fetch(`${service.url}/events`, { signal: leaving.signal })).status
    expect([await open(), await open(), await open()]).toEqual([200, 200, 429])
    key_id = 'two'
    expect(await open()).toBe(200)
    leaving.abort()
    await expect.poll(() => service.app.open_streams.size).toBe(0)
    key_id = 'one'
    expect((await fetch(`${service.url}/events`, { method: 'HEAD' })).status).toBe(200)
  })

  test('HEAD gets the headers and no event', async () => {
    service = await startTestApp({ events: neverAnything() })
    const response = await fetch(`${service.url}/events`, { method: 'HEAD' })
    expect([response.status, response.headers.get('content-type'), await response.text()]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      '',
    ])
  })
})

/** Waits for an event that never comes and hears nobody. */
async function* neverAnything() {
  await new Promise<never>(() => undefined)
  yield { event: 'never', data: null }
}
