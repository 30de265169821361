import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** Where in an exchange a connection is cut: before the message reaches the server, or after, before its answer is back. */
export type CutSide = 'before' | 'after'

/** Stands between the service and what it needs, and breaks what passes through. */
export interface TcpFaultProxy {
  port: number
  /** Cuts the connection of the n-th message that a client sends from now on. */
  cut(message: number, side: CutSide): void
  /** How many connections it cut. */
  cuts(): number
  /**
   * From now on nothing passes: connections stay open, new ones are taken and stay silent. What was open when it began
   * stays so for good, as half-open connections do.
   */
  blackHole(): void
  /** New connections work again. */
  heal(): void
  close(): Promise<void>
}

interface Link {
  client: Socket
  server: Socket
  /** Swallows whatever comes, in both directions. */
  isDead: boolean
  /** Ends with the next answer, or without one: its end is a cut. */
  isDoomed: boolean
}

export async function startTcpFaultProxy(target: { port: number }): Promise<TcpFaultProxy> {
  const links = new Set<Link>()
  let isBlack = false
  let armed: { message: number; side: CutSide } | undefined
  let cuts = 0

  const end = (link: Link) => {
    if (links.delete(link) && link.isDoomed) cuts++
    link.client.destroy()
    link.server.destroy()
  }
  const fromClient = (link: Link, chunk: Buffer) => {
    if (link.isDead) return
    if (armed !== undefined && --armed.message <= 0) {
      link.isDoomed = true
      const { side } = armed
      armed = undefined
      if (side === 'before') return end(link)
    }
    link.server.write(chunk)
  }
  const fromServer = (link: Link, chunk: Buffer) => {
    if (link.isDead) return
    if (link.isDoomed) return end(link)
    link.client.write(chunk)
  }

  const proxy = createServer((client) => {
    const server = connect(target.port, '127.0.0.1')
    const link: Link = { client, server, isDead: isBlack, isDoomed: false }
    links.add(link)
    client.on('data', (chunk: Buffer) => fromClient(link, chunk))
    server.on('data', (chunk: Buffer) => fromServer(link, chunk))
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      socket.on('error', () => {})
      // Of a half-open connection the other side never hears that it ended.
      socket.on('close', () => link.isDead || end(link))
    }
  }).listen(0, '127.0.0.1')
  await once(proxy, 'listening')

  return {
    port: (proxy.address() as AddressInfo).port,
    cut: (message, side) => void (armed = { message, side }),
    cuts: () => cuts,
    blackHole() {
      isBlack = true
      for (const link of links) link.isDead = true
    },
    heal: () => void (isBlack = false),
    async close() {
      for (const link of links) end(link)
      proxy.close()
      await once(proxy, 'close')
    },
  }
}
