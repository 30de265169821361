import { createKeySchema, type CreatedKey, type Key } from '@orchestrator/contract'

import { askService, type Outputs, type ServiceFlags } from './ask-service.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'

export interface CreateKeyFlags extends ServiceFlags {
  role: string
  workspaces?: string
  expiresAt?: string
}

export function listKeys(flags: ServiceFlags, outputs: Outputs): Promise<ExitCode> {
  return askService(flags, outputs, (client) => client.listKeys(), textOfList)
}

/** The key stands alone on its line: it is told this once. */
export function createKey(name: string, flags: CreateKeyFlags, outputs: Outputs): Promise<ExitCode> {
  const { role, workspaces, expiresAt: expires_at } = flags
  const body = createKeySchema.safeParse({
    name,
    role,
    ...(workspaces !== undefined && { workspaces: workspaces.split(',') }),
    ...(expires_at !== undefined && { expires_at }),
  })
  if (!body.success) {
    for (const { path, message } of body.error.issues) outputs.error.write(`${path.join('.')}: ${message}\n`)
    return Promise.resolve(EXIT.usage)
  }
  return askService(flags, outputs, (client) => client.createKey(body.data), textOfCreated)
}

export function revokeKey(id: string, flags: ServiceFlags, outputs: Outputs): Promise<ExitCode> {
  return askService(
    flags,
    outputs,
    (client) => client.revokeKey(id),
    (key) => `Key ${key.id} of ${key.name} (${key.role}) opens nothing any more.\n`,
  )
}

function textOfList({ items }: { items: Key[] }): string {
  if (items.length === 0) return 'There are no keys.\n'
  const now = new Date().toISOString()
  return items
    .map((key) => `${key.id}  ${key.role.padEnd(9)}  ${stateOf(key, now).padEnd(24)}  ${key.name}${only(key)}\n`)
    .join('')
}

/** What it is for, when that is not everything. */
function only({ workspaces }: Key): string {
  return workspaces === null ? '' : `, only ${workspaces.join(', ')}`
}

function stateOf({ expires_at, revoked_at }: Key, now: string): string {
  if (revoked_at !== null) return `revoked ${revoked_at.slice(0, 10)}`
  if (expires_at === null) return 'good'
  return expires_at <= now ? `expired ${expires_at.slice(0, 10)}` : `good until ${expires_at.slice(0, 10)}`
}

function textOfCreated(created: CreatedKey): string {
  const { id, name, role, key } = created
  return `Key ${id} of ${name} (${role}${only(created)}), shown this once:\n${key}\n`
}
