import { createClient, type Client } from '@orchestrator/client'
import { createKeySchema, ServiceError, type CreatedKey, type Key } from '@orchestrator/contract'

import { EXIT, type ExitCode } from './exit-codes.ts'
import { withoutControls } from './log-line.ts'
import type { Output } from './reporter.ts'

/** Where the service is and who asks; on loopback nobody has to say who. */
export interface KeyFlags {
  url: string
  key?: string
  json: boolean
}

export interface CreateKeyFlags extends KeyFlags {
  role: string
  expiresAt?: string
}

interface Outputs {
  out: Output
  error: Output
}

export function listKeys(flags: KeyFlags, outputs: Outputs): Promise<ExitCode> {
  return answer(flags, outputs, (client) => client.listKeys(), textOfList)
}

/** The key stands alone on its line: it is told this once. */
export function createKey(name: string, flags: CreateKeyFlags, outputs: Outputs): Promise<ExitCode> {
  const { role, expiresAt: expires_at } = flags
  const body = createKeySchema.safeParse({ name, role, ...(expires_at !== undefined && { expires_at }) })
  if (!body.success) {
    for (const { path, message } of body.error.issues) outputs.error.write(`${path.join('.')}: ${message}\n`)
    return Promise.resolve(EXIT.usage)
  }
  return answer(flags, outputs, (client) => client.createKey(body.data), textOfCreated)
}

export function revokeKey(id: string, flags: KeyFlags, outputs: Outputs): Promise<ExitCode> {
  return answer(
    flags,
    outputs,
    (client) => client.revokeKey(id),
    (key) => `Key ${key.id} of ${key.name} (${key.role}) opens nothing any more.\n`,
  )
}

async function answer<T>(
  { url, key, json }: KeyFlags,
  { out, error }: Outputs,
  ask: (client: Client) => Promise<T>,
  textOf: (value: T) => string,
): Promise<ExitCode> {
  if (!URL.canParse(url)) {
    error.write(`--url must be a URL such as http://127.0.0.1:8000, but is "${withoutControls(url)}".\n`)
    return EXIT.usage
  }
  try {
    const value = await ask(createClient({ base_url: url, ...(key && { key }) }))
    out.write(json ? `${JSON.stringify(value)}\n` : textOf(value))
    return EXIT.ok
  } catch (thrown) {
    if (!(thrown instanceof ServiceError)) throw thrown
    error.write(`${withoutControls(thrown.message)}\n`)
    return EXIT.failed
  }
}

function textOfList({ items }: { items: Key[] }): string {
  if (items.length === 0) return 'There are no keys.\n'
  const now = new Date().toISOString()
  return items.map((key) => `${key.id}  ${key.role.padEnd(9)}  ${stateOf(key, now).padEnd(24)}  ${key.name}\n`).join('')
}

function stateOf({ expires_at, revoked_at }: Key, now: string): string {
  if (revoked_at !== null) return `revoked ${revoked_at.slice(0, 10)}`
  if (expires_at === null) return 'good'
  return expires_at <= now ? `expired ${expires_at.slice(0, 10)}` : `good until ${expires_at.slice(0, 10)}`
}

function textOfCreated({ id, name, role, key }: CreatedKey): string {
  return `Key ${id} of ${name} (${role}), shown this once:\n${key}\n`
}
