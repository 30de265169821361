import { createServer } from 'node:net'

/** Below those that Linux hands out by itself, to who asks for any port and to each outgoing connection (32768 to 60999). */
const [FROM, TO] = [15_000, 32_000]

/**
 * A port that nothing listens on, for a service that must keep its address over restarts. One of those that systems hand
 * out could be somebody else's while the service is down, also that of a client which knocks at it.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FROM + Math.floor(Math.random() * (TO - FROM))
    const server = createServer()
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false)).once('listening', () => server.close(() => resolve(true)))
      server.listen(port, '127.0.0.1')
    })
    if (isFree) return port
  }
}
