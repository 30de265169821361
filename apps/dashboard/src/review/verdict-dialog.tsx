import { useEffect, useId, useRef } from 'react'

import type { AdvanceWorkflow, Attempt, Workflow } from '@orchestrator/contract'

import { Button, type ButtonLook } from '../components/button.tsx'
import { Icon } from '../components/icon.tsx'
import { Keys } from '../components/keys.tsx'
import { Modal } from '../components/modal.tsx'
import { nextType, phaseName, TYPE_NAMES } from '../workflow/words.ts'
import { shortPath } from './artifact-order.ts'
import { toComments, type DraftStore, type SentComment } from './draft.ts'

export type Verdict = 'approve' | 'changes' | 'stop'

interface VerdictDialogProps {
  verdict: Verdict
  workflow: Workflow
  attempt: Attempt
  drafts: DraftStore
  onSend: (body: AdvanceWorkflow, sent: string[]) => void
  onClose: () => void
}

interface Words {
  title: string
  field: string
  hint: string
  send: string
  look: ButtonLook
}

const WORDS: Record<Verdict, Words> = {
  approve: {
    title: 'Approve',
    field: 'Notes for what comes next',
    hint: 'Optional. The agent reads them in the next phase.',
    send: 'Approve',
    look: 'primary',
  },
  changes: {
    title: 'Request changes',
    field: 'What must change on the whole?',
    hint: 'The agent reworks this phase with your comments, and answers each of them.',
    send: 'Request changes',
    look: 'primary',
  },
  stop: {
    title: 'Stop this workflow',
    field: 'Why?',
    hint: 'Optional. It stands in the history.',
    send: 'Stop the workflow',
    look: 'danger',
  },
}

/** Says what a verdict sets off before it is given, and what goes along with it. */
export function VerdictDialog({ verdict, workflow, attempt, drafts, onSend, onClose }: VerdictDialogProps) {
  const { title, field, hint, send, look } = WORDS[verdict]
  const field_id = useId()
  const confirm = useRef<HTMLButtonElement>(null)
  const note_field = useRef<HTMLTextAreaElement>(null)
  const { all, note, written } = drafts
  const comments = toComments(all, attempt.id)
  const noted = verdict === 'approve' && comments.length > 0
  const says_nothing = verdict === 'changes' && comments.length === 0

  useEffect(() => {
    // One more Enter approves; a rejection begins with words.
    if (verdict === 'approve') confirm.current?.focus()
    else note_field.current?.focus()
  }, [verdict])

  const submit = () => {
    if (says_nothing) return note_field.current?.focus()
    onSend(
      toAdvance(verdict, attempt, comments),
      comments.map(({ id }) => id),
    )
  }
  return (
    <Modal
      title={title}
      onClose={onClose}
      footer={
        <>
          <Button look="quiet" onClick={onClose}>
            Back
          </Button>
          <Button ref={confirm} look={look} disabled={says_nothing} onClick={submit}>
            {noted ? 'Approve with notes' : send}
          </Button>
        </>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault()
          submit()
        }}
        className="flex flex-col gap-3"
      >
        <p>{consequence(verdict, workflow, attempt)}</p>
        <FailedChecks attempt={attempt} verdict={verdict} />
        {written.length > 0 && (
          <ul
            aria-label="Goes along"
            className="flex max-h-44 flex-col gap-1.5 overflow-y-auto rounded-lg bg-sunken p-2.5 text-sm"
          >
            {written.map((comment) => (
              <li key={comment.id} className="flex gap-2">
                <Icon name={comment.replacement === null ? 'comment' : 'pen'} className="mt-0.5 size-3.5 text-accent" />
                <span className="min-w-0">
                  {comment.path !== null && (
                    <span className="font-mono text-xs text-soft">{shortPath(comment.path)} </span>
                  )}
                  {comment.replacement !== null && <span className="text-soft">Suggestion. </span>}
                  {comment.text}
                </span>
              </li>
            ))}
          </ul>
        )}
        <div className="flex flex-col gap-1.5">
          <label htmlFor={field_id} className="font-medium">
            {field}
          </label>
          <textarea
            ref={note_field}
            id={field_id}
            rows={3}
            maxLength={10_000}
            value={note}
            aria-describedby={`${field_id}-hint`}
            onChange={(event) => drafts.setNote(event.target.value, attempt.id)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit()
            }}
            className="field field-sizing-content"
          />
          <p id={`${field_id}-hint`} className="flex flex-wrap justify-between gap-2 text-sm text-soft">
            {hint}
            <Keys keys="Ctrl Enter" />
          </p>
        </div>
      </form>
    </Modal>
  )
}

function FailedChecks({ attempt, verdict }: { attempt: Attempt; verdict: Verdict }) {
  const failed = attempt.checks.filter(({ level }) => level === 'error')
  if (verdict !== 'approve' || failed.length === 0) return null
  return (
    <p className="flex gap-2 rounded-lg bg-failed-soft p-2.5 text-failed">
      <Icon name="warning" className="mt-0.5" />
      {failed.length === 1 ? '1 check failed.' : `${failed.length} checks failed.`} Your approval will be recorded as
      given in spite of it.
    </p>
  )
}

/** What follows, by the state machine's table. */
function consequence(verdict: Verdict, { workflow_type, current_phase }: Workflow, attempt: Attempt): string {
  if (verdict === 'stop')
    return 'The workflow fails and nothing more is done. What was written stays, and you can retry.'
  if (verdict === 'changes')
    return `Attempt ${attempt.number + 1} of ${phaseName(workflow_type, attempt.phase)} starts at once.`
  if (current_phase === 'phase_1')
    return `${phaseName(workflow_type, 'phase_1')} is done and ${phaseName(workflow_type, 'phase_2')} starts at once.`
  const next = nextType(workflow_type)
  return `${TYPE_NAMES[workflow_type]} is completed.${next === undefined ? '' : ` ${TYPE_NAMES[next]} can be started after that.`}`
}

const toAdvance = (verdict: Verdict, { digest }: Attempt, comments: SentComment[]): AdvanceWorkflow => ({
  trigger: verdict === 'approve' ? 'human_approved' : 'human_rejected',
  phase_result: {
    approved: verdict === 'approve',
    ...(comments.length > 0 && { comments }),
    ...(verdict === 'stop' && { abort: true }),
    ...(digest !== null && { digest }),
  },
})
