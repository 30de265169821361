import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { connect, type Socket } from 'node:net'
import { setTimeout } from 'node:timers/promises'

import { describe, expect, it } from 'vitest'

import { OPEN_SERVICES, SERVICE_PROCESSES, type EitherProcess } from './both-services.ts'
import { figure, IS_WHOLE } from './counts.ts'
import { onEach } from './wide-service.ts'

const CLIENTS = figure(150, 3_000)
const CUT_WITHIN_MS = 30_000
/** Measured whole; a short run only sees that the service goes on answering. */
const HEALTH_P99_MS = figure(5_000, 200)
const DRIP_EVERY_MS = 1_000
/** Times over, where other tests run beside. */
const PATIENCE = figure(2, 1)

/** What each sends at once, and then drop by drop. */
const MANNERS: [what: string, begin: (host: string) => string, drop: string][] = [
  ['says nothing', () => '', ''],
  ['never ends its request line', () => 'GET /', 'a'],
  ['never ends its headers', (host) => `GET /health HTTP/1.1\r\nHost: ${host}\r\n`, 'X-A: b\r\n'],
  ['never ends one header', (host) => `GET /health HTTP/1.1\r\nHost: ${host}\r\nX-A: `, 'b'],
  [
    'never ends its body',
    (host) =>
      `POST /session HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{"key":"`,
    'k',
  ],
  [
    'never ends its chunks',
    (host) =>
      `POST /session HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`,
    '1\r\n \r\n',
  ],
  [
    'sends the body of a path that does not exist',
    (host) =>
      `POST /nothing HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 9999\r\n\r\n`,
    ' ',
  ],
  [
    'begins a second request after a good one',
    (host) => `GET /health HTTP/1.1\r\nHost: ${host}\r\n\r\nGET /health HTTP/1.1\r\n`,
    'X-A: b\r\n',
  ],
]

interface SlowClient {
  manner: string
  /** Milliseconds from its first byte until the service let it go. */
  cut: Promise<number>
  drip(): void
}

function open(port: number, [manner, begin, drop]: (typeof MANNERS)[number]): Promise<SlowClient> {
  return new Promise((opened, failed) => {
    const socket: Socket = connect(port, '127.0.0.1', () => {
      const began = performance.now()
      socket.write(begin(`127.0.0.1:${port}`))
      opened({
        manner,
        cut: new Promise((done) => socket.once('close', () => done(performance.now() - began))),
        drip: () => void (socket.writable && drop !== '' && socket.write(drop)),
      })
    })
    socket.once('error', failed).on('error', () => {})
    // Read and thrown away: a client that does not even read would not learn that it was cut.
    socket.resume()
  })
}

// Whole, one after the other, so that neither stands in the other's way.
describe('slow clients', { concurrent: !IS_WHOLE }, () => {
  it.each(SERVICE_PROCESSES)(
    'are all cut in time by the %s, which answers the others meanwhile',
    async (_name, start) => {
      const service = await start()
      try {
        const { late, lasted_ms, p99_ms } = await measure(service).catch((error: unknown) => {
          // What it said of its end, if it came to one.
          throw new Error(service.output().slice(-3_000), { cause: error })
        })
        console.log(
          `${CLIENTS} slow clients: the last was cut after ${(lasted_ms / 1000).toFixed(1)} s; /health p99 ${p99_ms.toFixed(0)} ms`,
        )
        expect(late).toEqual([])
        expect(p99_ms).toBeLessThan(HEALTH_P99_MS)
      } finally {
        await service.close()
      }
    },
    4 * CUT_WITHIN_MS,
  )
})

async function measure({ url, port }: EitherProcess) {
  const clients: SlowClient[] = []
  for (let index = 0; index < CLIENTS; index++) clients.push(await open(port, MANNERS[index % MANNERS.length]!))
  let open_ones = clients.length
  for (const { cut } of clients) void cut.then(() => open_ones--)
  const dripping = setInterval(() => clients.forEach((client) => client.drip()), DRIP_EVERY_MS)
  const health: number[] = []
  const deadline = performance.now() + 2 * CUT_WITHIN_MS
  while (open_ones > 0 && performance.now() < deadline) {
    const asked = performance.now()
    const { status } = await fetch(`${url}/health`)
    if (status !== 200) throw new Error(`/health answered ${status}`)
    health.push(performance.now() - asked)
    await setTimeout(20)
  }
  clearInterval(dripping)
  if (open_ones > 0) throw new Error(`${open_ones} clients were never cut`)
  const lasted = await Promise.all(clients.map(({ cut }) => cut))
  return {
    late: clients.filter((_, index) => (lasted[index] ?? 0) > PATIENCE * CUT_WITHIN_MS).map(({ manner }) => manner),
    lasted_ms: Math.max(...lasted),
    p99_ms: health.toSorted((a, b) => a - b)[Math.floor(health.length * 0.99)] ?? Infinity,
  }
}

describe('a route that everybody may ask', () => {
  it('starts no program for each who asks', async () => {
    let started = 0
    const count = () => void (started += 1)
    const [, start] = OPEN_SERVICES.find(([name]) => name === 'agent-hub')!
    const hub = await start()
    subscribe('child_process', count)
    const answers = await onEach(Array.from({ length: 200 }), async () => (await fetch(`${hub.url}/health`)).status)
    unsubscribe('child_process', count)
    await hub.close()
    expect(new Set(answers)).toEqual(new Set([200]))
    // One look at the workspace is a handful of gits.
    expect(started).toBeLessThan(100)
  })
})
