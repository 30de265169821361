import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'

import type { AgentResult } from '../core/ports.ts'
import { closeServer, DOOR_PORTS, openDoor, type Door } from './door.ts'
import type { McpServer } from './open-session.ts'
import { answerMcp } from './result-tool.ts'

const BODY_BYTES_MAX = 4 * 1024 * 1024

/** The hub's tools for one agent process, as long as it lives. */
export interface ToolEndpoint {
  server: McpServer
  /** The way in for an agent without a network; undefined where it listens on a port of the machine. */
  door: Door | undefined
  /** Resolves when the agent has asked which tools there are; it may never do so. */
  listed: Promise<void>
  close(): Promise<void>
}

/**
 * The hub's own tools over the Model Context Protocol (Streamable HTTP, answers as plain JSON), on a port of 127.0.0.1
 * that the system chooses, or on a unix socket for an agent behind walls. Only who has the token is heard.
 *
 * Written here and not taken from @modelcontextprotocol/sdk: four methods without state need no 94 packages, and the
 * SDK 1.32.2 took 44 MB of memory and 0.3 to 0.7 s when it was first imported.
 */
export async function openToolEndpoint(o: {
  walled: boolean
  deliver: (result: AgentResult) => boolean
}): Promise<ToolEndpoint> {
  const token = randomBytes(32).toString('base64url')
  const listed = Promise.withResolvers<void>()
  const expected = hash(`Bearer ${token}`)
  const server = createServer((incoming, outgoing) => {
    const refusal = refuse(incoming, expected)
    if (refusal !== undefined) {
      outgoing.writeHead(refusal, { connection: 'close', ...(refusal === 405 && { allow: 'POST' }) }).end()
      return
    }
    readBody(incoming).then(
      (body) => {
        const message = body === undefined ? undefined : parse(body)
        const answer = body === undefined ? undefined : answerMcp(message, o.deliver)
        if (isToolList(message)) outgoing.once('finish', () => listed.resolve())
        if (body === undefined) outgoing.writeHead(413, { connection: 'close' }).end()
        else if (answer === undefined) outgoing.writeHead(202).end()
        else sendJson(outgoing, answer)
      },
      () => outgoing.destroy(),
    )
  })
  const door = o.walled ? await openDoor(server, DOOR_PORTS.tools) : undefined
  if (door === undefined) await once(server.listen(0, '127.0.0.1'), 'listening')
  // An agent that forgot the connection must not keep the hub alive.
  server.unref()
  const address = server.address()
  const port = door?.port ?? (typeof address === 'object' ? address?.port : undefined)
  return {
    server: {
      type: 'http',
      name: 'orchestrator',
      url: `http://127.0.0.1:${port}/mcp`,
      headers: [{ name: 'Authorization', value: `Bearer ${token}` }],
    },
    door,
    listed: listed.promise,
    close: async () => closeServer(server, door),
  }
}

/** The status of a refusal. A page in a browser is never the agent, and says where it comes from. */
function refuse(incoming: IncomingMessage, expected: Buffer): number | undefined {
  if (incoming.headers.origin !== undefined) return 403
  if (!timingSafeEqual(hash(incoming.headers.authorization ?? ''), expected)) return 401
  if (incoming.url !== '/mcp') return 404
  // No stream of ours and no session to end.
  return incoming.method === 'POST' ? undefined : 405
}

/** Undefined when it is too large. */
async function readBody(incoming: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength
    if (bytes > BODY_BYTES_MAX) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const isToolList = (message: unknown): boolean =>
  typeof message === 'object' && message !== null && 'method' in message && message.method === 'tools/list'

function sendJson(outgoing: ServerResponse, answer: object): void {
  outgoing.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
}

const hash = (text: string) => createHash('sha256').update(text).digest()
