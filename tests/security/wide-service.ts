import { Agent, request as httpRequest } from 'node:http'

import { createdKeySchema, type CreatedKey, type Role } from '@orchestrator/contract'

import { clientOf, startService, type Client, type Service } from '../../services/orchestrator/tests/service.ts'

/** The service as it is opened to a team: bound to every address, met by the name of this machine's own. */
export interface WideService extends Service {
  admin: Client
  issue(name: string, role: Role, more?: object): Promise<CreatedKey & { client: Client }>
}

export async function startWideService(env: Record<string, string> = {}): Promise<WideService> {
  const service = await startService({ env: { HOST: '0.0.0.0', ...env } })
  const { port } = new URL(service.url)
  const url = `http://127.0.0.1:${port}`
  const admin = clientOf(url, service.first_key)
  return {
    ...service,
    ...admin,
    admin,
    async issue(name, role, more = {}) {
      const made = createdKeySchema.parse((await admin.request('POST', '/keys', { name, role, ...more })).body)
      return { ...made, client: clientOf(url, made.key) }
    },
  }
}

export interface RawAsk {
  method: string
  /** Goes out as it is: no client of ours tidies it up. */
  path: string
  headers?: Record<string, string>
  body?: string
}

export interface RawReply {
  status: number
  text: string
}

/** Asks over few kept connections, so that thousands of requests take seconds. */
export function openRaw(url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 8 })
  const { hostname, port } = new URL(url)
  const ask = ({ method, path, headers = {}, body }: RawAsk) =>
    new Promise<RawReply>((resolve, reject) => {
      const sent = httpRequest({ agent, hostname, port, method, path, headers }, (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (chunk: string) => (text += chunk))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
      })
      sent.on('error', reject).end(body)
    })
  return { ask, close: () => agent.destroy() }
}

/** Runs `fn` on each, a few at a time. */
export async function onEach<T, R>(items: readonly T[], fn: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let index = 0; index < items.length; index += 16) {
    results.push(...(await Promise.all(items.slice(index, index + 16).map(fn))))
  }
  return results
}
