import { createServer, type ServerResponse } from 'node:http'

/** A hub that takes everything on at once (`Prefer: respond-async`) and finishes when it is told to. */
export interface AsyncHub {
  url: string
  /** Invocations taken on, and how often each key was asked for. */
  keys: Map<string, number>
  /** Streams of events that are open now. */
  open(): number
  /** Ends all that is at work, and whatever comes later. */
  finish(): void
  close(): Promise<void>
}

const INVOCATION = { agent: 'bench', created_at: '2026-01-31T12:00:00.000Z', started_at: '2026-01-31T12:00:00.000Z' }
const RESPONSE = { success: true, result: { output: 'done', files_created: [] }, confidence: 90 }
const HEARTBEAT_MS = 5_000

export async function startAsyncHub(): Promise<AsyncHub> {
  const keys = new Map<string, number>()
  const ids = new Map<string, string>()
  const streams = new Map<ServerResponse, string>()
  let isDone = false

  const describe = (id: string) => ({
    ...INVOCATION,
    id,
    status: isDone ? 'succeeded' : 'running',
    response: isDone ? RESPONSE : null,
    finished_at: isDone ? INVOCATION.created_at : null,
  })
  const end = (response: ServerResponse, id: string) => {
    const event = { sequence: 1, type: 'invocation.finished', created_at: INVOCATION.created_at, data: describe(id) }
    response.end(`id: 1\nevent: invocation.finished\ndata: ${JSON.stringify(event)}\n\n`)
  }
  const server = createServer((request, response) => {
    const [, route, id = '', what] = (request.url ?? '').split('/')
    request.resume()
    if (route === 'invoke') {
      const key = String(request.headers['idempotency-key'])
      keys.set(key, (keys.get(key) ?? 0) + 1)
      const known = ids.get(key) ?? crypto.randomUUID()
      ids.set(key, known)
      response.writeHead(202, { 'content-type': 'application/json' }).end(JSON.stringify(describe(known)))
    } else if (route === 'invocations' && what === 'events') {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write(': here\n\n')
      if (isDone) return end(response, id)
      streams.set(response, id)
      response.on('close', () => streams.delete(response))
    } else if (route === 'invocations') {
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(describe(id)))
    } else {
      response.writeHead(404, { 'content-type': 'application/json' })
      response.end('{"error":{"code":"ROUTE_NOT_FOUND","message":"not here"}}')
    }
  })
  server.keepAliveTimeout = 60_000
  const heartbeat = setInterval(() => streams.forEach((_, stream) => stream.write(': here\n\n')), HEARTBEAT_MS)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', 4096, resolve)
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    url: `http://127.0.0.1:${port}`,
    keys,
    open: () => streams.size,
    finish() {
      isDone = true
      for (const [response, id] of streams) end(response, id)
    },
    close: () =>
      new Promise((resolve) => {
        clearInterval(heartbeat)
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
