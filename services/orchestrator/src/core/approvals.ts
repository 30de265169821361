import type { Approvals, ApprovingRole } from '@orchestrator/contract'

import type { Asker } from './privileges.ts'

/** What it takes to approve a phase, all settings considered. */
export interface Requirement {
  minimum_approvals: number
  required_roles: readonly ApprovingRole[]
  four_eyes: boolean
  /** Whoever works on the machine without a key is not held to four eyes unless somebody asked for it. */
  spares_local: boolean
}

export interface Vote {
  actor: string
  role: Asker['role']
  created_at: string
}

/** One approval of anybody is enough: nobody has to be counted. */
export function isPlain({ minimum_approvals, required_roles }: Requirement): boolean {
  return minimum_approvals === 1 && required_roles.length === 0
}

/** Who approved and who is still needed. */
export function approvalsOf(requirement: Requirement, votes: readonly Vote[]): Approvals {
  const given = votes.map(({ actor, role, created_at }) => ({ actor, role, created_at }))
  const stands = (role: ApprovingRole) => votes.some((vote) => vote.role === role || vote.role === 'local')
  return {
    required: requirement.minimum_approvals,
    given,
    missing_roles: requirement.required_roles.filter((role) => !stands(role)),
    four_eyes: requirement.four_eyes,
  }
}

export function suffice({ required, given, missing_roles }: Approvals): boolean {
  return given.length >= required && missing_roles.length === 0
}

/** Whether they may not approve because it is their own. */
export function isOwn(requirement: Requirement, created_by: string, asker: Pick<Asker, 'name' | 'role'>): boolean {
  if (!requirement.four_eyes || created_by !== asker.name) return false
  return asker.role !== 'local' || !requirement.spares_local
}
