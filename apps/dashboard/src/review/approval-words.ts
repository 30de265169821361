import type { Approvals } from '@orchestrator/contract'

/** What a review says of its approvals, part by part; none where anybody's one approval is enough. */
export function approvalWords({ required, given, missing_roles, four_eyes }: Approvals): string[] {
  const counts = required > 1 || missing_roles.length > 0
  return [
    ...(counts ? [`${given.length} of ${required} ${required === 1 ? 'approval' : 'approvals'}`] : []),
    ...(given.length > 0 ? [`by ${given.map(({ actor }) => actor).join(', ')}`] : []),
    ...missing_roles.map((role) => `needs ${role === 'admin' ? 'an admin' : 'a reviewer'}`),
    ...(four_eyes ? ['not by its creator'] : []),
  ]
}
