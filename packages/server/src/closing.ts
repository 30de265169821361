import { OpenStreams, type OpenStreamsOptions } from './open-streams.ts'
import type { Server } from './server-types.ts'

/** How long requests in progress may go on once the server closes, before their connections are cut. */
const CLOSE_GRACE_MS = 3_000

/** Ends event streams at once when the server closes, lets requests finish, and cuts what lasts too long. */
export function endWithServer(app: Server, streams: OpenStreamsOptions = {}): void {
  const open_streams = new OpenStreams(streams)
  let isClosing = false
  let cut: NodeJS.Timeout | undefined
  app.decorate('open_streams', open_streams)

  app.addHook('preClose', async () => {
    isClosing = true
    open_streams.endAll()
    cut = setTimeout(() => app.server.closeAllConnections(), CLOSE_GRACE_MS).unref()
  })
  app.addHook('onClose', async () => clearTimeout(cut))
  app.addHook('onSend', (request, reply, _payload, done) => {
    // A kept connection would keep the closing server waiting.
    if (isClosing) reply.header('connection', 'close')
    // Fastify would cut the connection while the client still sends its too large body, and the reset
    // can overtake the answer. Node drops the rest of the body, and the time limit for requests ends it.
    else if (!request.raw.complete) reply.removeHeader('connection')
    done()
  })
}
