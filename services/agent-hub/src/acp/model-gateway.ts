import {
  createServer,
  Agent as HttpAgent,
  request as requestHttp,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { Agent as HttpsAgent, request as requestHttps } from 'node:https'

import * as z from 'zod'

import type { ModelEndpoint } from '../core/ports.ts'
import { closeServer, DOOR_PORTS, openDoor, type Door } from './door.ts'

/** Never passed on: they belong to one connection (RFC 9110, 7.6.1), or carry a key that the agent does not have. */
const DROPPED = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'authorization',
  'x-api-key',
  'x-goog-api-key',
])

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/

/** What the model's server said to one request; `said` is the beginning of a refusal, empty for every other answer. */
export interface ModelAnswer {
  status: number
  said: string
}

/** As much of a refusal as is looked at. */
const REFUSAL_BYTES = 4_000

export interface ModelGateway {
  door: Door
  close(): Promise<void>
}

/**
 * The one way out of an agent's walls: HTTP over a unix socket, to one model's address, with the real key put in
 * here. The agent itself holds a dummy and no network.
 */
export async function openModelGateway(
  endpoint: ModelEndpoint,
  env: NodeJS.ProcessEnv,
  onAnswer: (answer: ModelAnswer) => void = () => {},
): Promise<ModelGateway> {
  const upstream = new URL(endpoint.upstream)
  const secure = upstream.protocol === 'https:'
  const hostname = upstream.hostname.replace(/^\[|\]$/g, '')
  // A model on this machine is not reached through a company's proxy.
  const options = { keepAlive: true, proxyEnv: LOOPBACK.test(hostname) ? {} : env }
  const agent = secure ? new HttpsAgent(options) : new HttpAgent(options)
  const request = secure ? requestHttps : requestHttp
  const forward = (incoming: IncomingMessage, outgoing: ServerResponse): void => {
    const path = incoming.url ?? '/'
    if (!path.startsWith('/')) {
      outgoing.writeHead(400).end()
      return
    }
    const headers = Object.entries(incoming.headers).filter(([name]) => !DROPPED.has(name))
    const asked = request(
      {
        protocol: upstream.protocol,
        hostname,
        port: upstream.port,
        path: `${upstream.pathname.replace(/\/$/, '')}${path}`,
        method: incoming.method,
        // Plain, so that a refusal can be read here.
        headers: { ...Object.fromEntries(headers), 'accept-encoding': 'identity', ...endpoint.headers },
        agent,
      },
      (answer) => {
        const kept = Object.entries(answer.headers).filter(([name]) => !DROPPED.has(name))
        outgoing.writeHead(answer.statusCode ?? 502, Object.fromEntries(kept))
        answer.on('error', () => outgoing.destroy()).pipe(outgoing)
        listenTo(answer, onAnswer)
      },
    )
    asked.on('error', (error) => {
      // Whoever asked went away first: that is no answer of the model.
      if (!outgoing.destroyed) onAnswer({ status: 502, said: `it cannot be reached: ${error.message}` })
      if (outgoing.headersSent) outgoing.destroy()
      else {
        outgoing.writeHead(502, { 'content-type': 'application/json' })
        outgoing.end(JSON.stringify({ error: { code: 502, message: `The model cannot be reached: ${error.message}` } }))
      }
    })
    outgoing.on('close', () => asked.destroy())
    incoming.on('error', () => asked.destroy()).pipe(asked)
  }
  const server = createServer(forward)
  // A model may think for long before its first word: the hub's own clocks end a turn, not this.
  server.requestTimeout = 0
  const door = await openDoor(server, DOOR_PORTS.model)
  return {
    door,
    async close() {
      agent.destroy()
      await closeServer(server, door)
    },
  }
}

/** Beside whoever reads the answer. */
function listenTo(answer: IncomingMessage, onAnswer: (answer: ModelAnswer) => void): void {
  const { statusCode: status = 502 } = answer
  if (status < 400) return onAnswer({ status, said: '' })
  let text = ''
  answer.on('data', (chunk: Buffer) => {
    if (text.length < REFUSAL_BYTES) text += chunk.toString('latin1')
  })
  answer.on('close', () =>
    onAnswer({ status, said: readRefusal(Buffer.from(text.slice(0, REFUSAL_BYTES), 'latin1').toString()) }),
  )
}

const refusalSchema = z.union([
  z.object({ error: z.object({ message: z.string() }) }).transform(({ error }) => error.message),
  z.object({ message: z.string() }).transform(({ message }) => message),
])

/** The sentence in it: every provider has an envelope of its own. */
function readRefusal(text: string): string {
  try {
    const body: unknown = JSON.parse(text)
    return refusalSchema.catch(text).parse(Array.isArray(body) ? body[0] : body)
  } catch {
    return text
  }
}
