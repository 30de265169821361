import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { invokeRequestSchema, type HubAgents, type InvokeRequest } from '@orchestrator/contract'

/** What a request to `POST /invoke/{agent}` brought. */
export interface Received {
  agent: string
  key: string | undefined
  prefer: string | undefined
  authorization: string | undefined
  traceparent: string | undefined
  body: InvokeRequest
  /** The one who asked has gone away. */
  gone: boolean
}

/** How the hub treats one invocation. */
export type Behaviour = (received: Received, response: ServerResponse) => void | Promise<void>

/** A hub of the seed's family with the plain interface only, written for these tests and nothing else. */
export interface PlainHub {
  url: string
  /** Every invocation, in the order in which they came. */
  received: Received[]
  /** For the next invocations, one each; after them `usual` goes on. */
  next(...behaviours: Behaviour[]): void
  usual: Behaviour
  /** Contents that `GET /artifacts/{digest}` serves. */
  artifacts: Map<string, Uint8Array>
  /** What `GET /workspaces/default` tells; a hub of the family knows none. */
  highest_number: number | undefined
  /** What it knows of workspaces beside, as the newer ones of the family do: answers by method and path. */
  more: Map<string, { status: number; body: unknown }>
  /** What `GET /agents` tells; a hub of the family knows none. */
  agents: HubAgents | undefined
  close(): Promise<void>
}

export async function startPlainHub(port = 0): Promise<PlainHub> {
  const planned: Behaviour[] = []
  const server = createServer((request, response) => {
    void serve(request, response).catch(() => response.destroy())
  })

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, route, name = ''] = (request.url ?? '').split('/')
    if (request.method === 'POST' && route === 'invoke') return invoke(decodeURIComponent(name), request, response)
    const content = route === 'artifacts' ? hub.artifacts.get(name) : undefined
    if (content !== undefined) return void response.end(content)
    const more = hub.more.get(`${request.method} ${request.url}`)
    if (more !== undefined) return send(response, more.status, more.body)
    if (route === 'health') return send(response, 200, { status: 'healthy', version: '1', uptime_seconds: 1 })
    if (route === 'agents' && hub.agents !== undefined) return send(response, 200, hub.agents)
    if (route === 'workspaces' && hub.highest_number !== undefined) {
      const { highest_number } = hub
      return send(response, 200, { name, path: '/repository', default_branch: 'main', highest_number })
    }
    send(response, 404, { error: { code: 'NOT_FOUND', message: 'There is nothing here.' } })
  }

  async function invoke(agent: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const text: Buffer[] = []
    for await (const chunk of request) text.push(chunk as Buffer)
    const received: Received = {
      agent,
      key: single(request.headers['idempotency-key']),
      prefer: single(request.headers['prefer']),
      authorization: request.headers.authorization,
      traceparent: single(request.headers['traceparent']),
      body: invokeRequestSchema.parse(JSON.parse(Buffer.concat(text).toString('utf8'))),
      gone: false,
    }
    response.on('close', () => (received.gone = !response.writableFinished))
    const behave = planned.shift() ?? hub.usual
    hub.received.push(received)
    await behave(received, response)
  }

  const hub: PlainHub = {
    url: '',
    received: [],
    next: (...behaviours) => void planned.push(...behaviours),
    usual: succeed(),
    artifacts: new Map(),
    highest_number: undefined,
    more: new Map(),
    agents: undefined,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  hub.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return hub
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}

/** The agent did it. Says which phase it was, so that outputs can be told apart. */
export function succeed(result: object = {}, confidence = 80): Behaviour {
  return ({ body, agent }, response) =>
    send(response, 200, {
      success: true,
      result: {
        output: `${agent} did ${body.workflow_type} ${body.context.phase} as ${body.parameters['attempt']}`,
        files_created: ['specs/001-x/spec.md'],
        ...result,
      },
      confidence,
      metadata: { duration_ms: 1, model_used: 'plain' },
    })
}

/** The agent left these files. */
export function leave(hub: PlainHub, files: Record<string, string>): Behaviour {
  const artifacts = Object.entries(files).map(([path, text]) => {
    const content = new TextEncoder().encode(text)
    const digest = createHash('sha256').update(content).digest('hex')
    hub.artifacts.set(digest, content)
    return { path, digest, size: content.byteLength, media_type: 'text/markdown' }
  })
  return succeed({ data: { artifacts } })
}

/** The agent could not do it. */
export function failWith(error: string, data?: object): Behaviour {
  const result = data === undefined ? null : { data }
  return (_received, response) => send(response, 200, { success: false, result, confidence: 0, error })
}

export function refuse(status: number, code: string, message: string, headers?: Record<string, string>): Behaviour {
  return (_received, response) => send(response, status, { error: { code, message } }, headers)
}

/** Some hubs wrap the envelope once more. */
export function refuseUnderDetail(status: number, code: string, message: string): Behaviour {
  return (_received, response) => send(response, status, { detail: { error: { code, message } } })
}

export function say(text: string, status = 200): Behaviour {
  return (_received, response) => void response.writeHead(status, { 'content-type': 'application/json' }).end(text)
}

/** Never answers. */
export const hang: Behaviour = () => {}

/** Begins an answer, and never ends it. */
export const stall: Behaviour = (_received, response) => {
  response.writeHead(200, { 'content-type': 'application/json' }).write('{"success":')
}

/** Breaks the connection off in the middle of an answer. */
export const drop: Behaviour = (_received, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' })
  response.write('{"success":', () => response.destroy())
}

/** Holds what comes until it is let go. */
export function gate(then: Behaviour = succeed()): { behaviour: Behaviour; open(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return {
    behaviour: async (received, response) => {
      await promise
      await then(received, response)
    },
    open: resolve,
  }
}
