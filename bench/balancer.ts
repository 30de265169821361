import { once } from 'node:events'
import { createServer, request as send, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** How long a replica that could not be reached is passed over, in milliseconds. */
const SHUNNED_MS = 1_000

export interface Balancer {
  url: string
  close(): Promise<void>
}

/**
 * The smallest balancer that shows a failover: requests go round the replicas, and one that cannot be
 * reached is passed over. `replicas` is asked for their URLs anew each time; port 0 is any free one.
 */
export async function startBalancer(port: number, replicas: () => readonly string[]): Promise<Balancer> {
  const shunned = new Map<string, number>()
  let turn = 0

  const pick = (tried: ReadonlySet<string>) => {
    const now = performance.now()
    const known = replicas().filter((url) => !tried.has(url))
    const live = known.filter((url) => (shunned.get(url) ?? 0) < now)
    return (live.length > 0 ? live : known)[turn++ % Math.max(1, (live.length > 0 ? live : known).length)]
  }

  const pass = (incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer, tried: Set<string>) => {
    const target = pick(tried)
    if (target === undefined) {
      outgoing.writeHead(503, { 'content-type': 'application/json' })
      outgoing.end('{"error":{"code":"UNAVAILABLE","message":"No replica answers."}}\n')
      return
    }
    tried.add(target)
    const { host } = new URL(target)
    const { origin, ...headers } = incoming.headers
    const onward = send(target + (incoming.url ?? '/'), {
      method: incoming.method ?? 'GET',
      // The replicas know themselves by their own names only.
      headers: { ...headers, host, ...(origin !== undefined && { origin: target }) },
    })
    onward.on('response', (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(outgoing)
      answer.on('error', () => outgoing.destroy())
    })
    onward.on('error', (error: NodeJS.ErrnoException) => {
      shunned.set(target, performance.now() + SHUNNED_MS)
      // Only what was never sent may be sent elsewhere: the rest may have been done.
      if (error.code === 'ECONNREFUSED' && !outgoing.headersSent) pass(incoming, outgoing, body, tried)
      else outgoing.destroy()
    })
    outgoing.on('close', () => onward.destroy())
    onward.end(body)
  }

  const server = createServer((incoming, outgoing) => {
    void buffer(incoming)
      .then((body) => pass(incoming, outgoing, body, new Set()))
      .catch(() => outgoing.destroy())
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
