import type { Approvals, Attempt } from '@orchestrator/contract'

import { Button } from '../components/button.tsx'
import { Icon } from '../components/icon.tsx'
import { useShortcuts } from '../keyboard/shortcuts.ts'
import { ApprovalsNeeded } from './approvals-needed.tsx'
import type { DraftStore } from './draft.ts'
import type { Verdict } from './verdict-dialog.tsx'

interface ReviewBarProps {
  attempt: Attempt
  approvals: Approvals | undefined
  drafts: DraftStore
  /** Comments of the last round that the agent passed over. */
  unanswered: number
  /** Open questions that have an answer. */
  answers: number
  busy: boolean
  onDecide: (verdict: Verdict) => void
}

/** Always in sight while an attempt waits: what is drafted, and the three verdicts. */
export function ReviewBar({ attempt, approvals, drafts, unanswered, answers, busy, onDecide }: ReviewBarProps) {
  const comments = drafts.written.length
  const failed = attempt.checks.filter(({ level }) => level === 'error').length
  // Whoever wrote down what must change wants it changed; answers alone go along with an approval.
  const wants_changes = comments > 0 || unanswered > 0
  useShortcuts([
    { keys: 'a', does: 'Approve…', run: () => onDecide('approve') },
    { keys: 'r', does: 'Request changes…', run: () => onDecide('changes') },
  ])
  return (
    <div
      role="region"
      aria-label="Review"
      className="mt-5 flex flex-wrap items-center gap-x-3 gap-y-2 border-t border-line bg-raised px-4 py-2.5 shadow-float sm:px-6"
    >
      <p className="flex min-w-0 flex-wrap items-center gap-x-3 text-sm text-soft max-sm:w-full">
        <span className="inline-flex items-center gap-1.5 font-medium text-waiting">
          <Icon name="eye" className="size-3.5" />
          Attempt {attempt.number} needs your review
        </span>
        <ApprovalsNeeded approvals={approvals} />
        <span>{summary(comments, answers, unanswered)}</span>
        <Kept drafts={drafts} />
        {failed > 0 && (
          <span className="text-failed">{failed === 1 ? '1 check failed' : `${failed} checks failed`}</span>
        )}
      </p>
      <div className="ml-auto flex gap-2 max-sm:w-full max-sm:*:flex-1">
        <Button look="danger-quiet" disabled={busy} onClick={() => onDecide('stop')}>
          Stop…
        </Button>
        <Button look={wants_changes ? 'primary' : 'plain'} disabled={busy} onClick={() => onDecide('changes')}>
          <span className="max-sm:sr-only">Request changes</span>
          <span aria-hidden="true" className="sm:hidden">
            Changes
          </span>
          {comments > 0 && <span className="tabular-nums">({comments})</span>}
        </Button>
        <Button
          look={wants_changes ? 'plain' : 'primary'}
          disabled={busy}
          busy={busy}
          onClick={() => onDecide('approve')}
        >
          {wants_changes ? 'Approve…' : 'Approve'}
        </Button>
      </div>
    </div>
  )
}

const STATES: Record<DraftStore['state'], string> = {
  saved: 'Draft saved',
  saving: 'Saving…',
  waiting: 'Kept in this browser until the server answers',
}

/** Where the draft is: that nothing can be lost is said, not only so. */
function Kept({ drafts: { written, note, state } }: { drafts: DraftStore }) {
  if (written.length === 0 && note === '' && state === 'saved') return null
  return (
    <span role="status" className={state === 'waiting' ? 'text-waiting' : 'text-faint'}>
      {STATES[state]}
    </span>
  )
}

function summary(comments: number, answers: number, unanswered: number): string {
  const parts = [
    ...(unanswered > 0 ? [`${unanswered} unanswered`] : []),
    ...(comments > 0 ? [comments === 1 ? '1 comment drafted' : `${comments} comments drafted`] : []),
    ...(answers > 0 ? [answers === 1 ? '1 question answered' : `${answers} questions answered`] : []),
  ]
  return parts.join(', ')
}
