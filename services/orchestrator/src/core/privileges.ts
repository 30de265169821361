import { ROLES, ServiceError, type PostedTrigger, type Role } from '@orchestrator/contract'

import type { Origin } from './origin.ts'
import type { Scope } from './scope.ts'

/** What somebody may be allowed to do. A trigger is a privilege of its own. */
export type Action =
  | 'read'
  | 'create'
  | 'cancel'
  | 'retry'
  | 'answer'
  | 'tick'
  | 'push'
  | 'review'
  | PostedTrigger
  | 'manage_keys'
  | 'manage_queue'
  | 'manage_policies'
  | 'manage_budgets'
  | 'audit'
  | 'erase'

/** `own`: only on what was created under the same name. */
type Extent = 'any' | 'own'

/**
 * Who may do what; whatever is not here, nobody may. Published in docs/security.md and tested cell by
 * cell. `local`, whoever works on the machine of a service bound to loopback, stands above it.
 */
export const PRIVILEGES: Readonly<Record<Action, Readonly<Partial<Record<Role, Extent>>>>> = {
  read: { viewer: 'any', submitter: 'any', reviewer: 'any', hub: 'any', admin: 'any' },
  create: { submitter: 'any', admin: 'any' },
  cancel: { submitter: 'own', admin: 'any' },
  retry: { submitter: 'own', admin: 'any' },
  answer: { submitter: 'any', reviewer: 'any', admin: 'any' },
  push: { submitter: 'any', admin: 'any' },
  tick: { reviewer: 'any', admin: 'any' },
  review: { reviewer: 'any', admin: 'any' },
  human_approved: { reviewer: 'any', admin: 'any' },
  human_rejected: { reviewer: 'any', admin: 'any' },
  agent_complete: { hub: 'any', admin: 'any' },
  error: { hub: 'any', admin: 'any' },
  manage_keys: { admin: 'any' },
  manage_queue: { admin: 'any' },
  manage_policies: { admin: 'any' },
  manage_budgets: { admin: 'any' },
  audit: { admin: 'any' },
  erase: { admin: 'any' },
}

/** The roles that may do at least one of these to something: what the route of them says. */
export function rolesFor(...actions: Action[]): readonly Role[] {
  return ROLES.filter((role) => actions.some((action) => PRIVILEGES[action][role] !== undefined))
}

/** Who asks over HTTP. */
export interface Asker extends Origin {
  role: Role | 'local'
  workspaces: Scope
}

type Person = Pick<Asker, 'name' | 'role'>

/** Throws FORBIDDEN, with what would be needed. `owner` is who created what is acted on. */
export function assertMay(asker: Person, action: Action, owner?: string): void {
  if (asker.role === 'local') return
  const extent = PRIVILEGES[action][asker.role]
  if (extent === 'any' || (extent === 'own' && owner === asker.name)) return
  const needed = new Intl.ListFormat('en', { type: 'disjunction' }).format(rolesFor(action))
  const sentence =
    extent === 'own'
      ? `A ${asker.role} may ${action} only their own workflows, and this one is of ${owner}. Ask them, or an admin.`
      : `This (${action}) needs a key with the role ${needed}; yours is ${asker.role}.`
  throw new ServiceError('FORBIDDEN', sentence)
}

/** Whether the answer hangs on whose it is. */
export function goesByOwner(asker: Person, action: Action): boolean {
  return asker.role !== 'local' && PRIVILEGES[action][asker.role] === 'own'
}
