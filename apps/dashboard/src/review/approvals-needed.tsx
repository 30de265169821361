import type { Approvals } from '@orchestrator/contract'

import { approvalWords } from './approval-words.ts'

/** Who approved so far and who is still needed; nothing where anybody's one approval is enough. */
export function ApprovalsNeeded({ approvals }: { approvals: Approvals | undefined }) {
  const words = approvals === undefined ? [] : approvalWords(approvals)
  return words.length === 0 ? null : <span>{words.join(' · ')}</span>
}
