import type { Role } from '@orchestrator/contract'

const PURPOSES: Record<Role, string> = {
  viewer: 'sees everything, decides nothing',
  submitter: 'starts workflows, and cancels or retries their own',
  reviewer: 'reads, comments and decides',
  hub: 'a machine that reports what agents did',
  admin: 'may do everything, keys too',
}
const LIMITED_PURPOSES: Partial<Record<Role, string>> = {
  viewer: 'sees everything there, decides nothing',
  admin: 'may do everything there, but not manage keys, policies and the queue',
}

/** What a role may do, with a key of all workspaces or of some. */
export const purposeOf = (role: Role, is_limited: boolean): string =>
  (is_limited ? LIMITED_PURPOSES[role] : undefined) ?? PURPOSES[role]
