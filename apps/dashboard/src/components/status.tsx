import type { AttemptState, WorkflowStatus } from '@orchestrator/contract'

import { Icon, type IconName } from './icon.tsx'

export type Tone = 'waiting' | 'running' | 'done' | 'failed' | 'queued'

interface StatusWord {
  word: string
  icon: IconName
  tone: Tone
}

/** Status is always a drawing and a word, never colour alone. */
export const WORKFLOW_STATUS_WORDS: Record<WorkflowStatus, StatusWord> = {
  waiting_approval: { word: 'Needs review', icon: 'eye', tone: 'waiting' },
  in_progress: { word: 'Running', icon: 'running', tone: 'running' },
  pending: { word: 'Queued', icon: 'queued', tone: 'queued' },
  completed: { word: 'Completed', icon: 'check', tone: 'done' },
  failed: { word: 'Failed', icon: 'cross', tone: 'failed' },
}

export const ATTEMPT_STATE_WORDS: Record<AttemptState, StatusWord> = {
  queued: { word: 'Queued', icon: 'queued', tone: 'queued' },
  running: { word: 'Running', icon: 'running', tone: 'running' },
  backing_off: { word: 'Waiting to retry', icon: 'retry', tone: 'waiting' },
  succeeded: { word: 'Finished', icon: 'check', tone: 'done' },
  failed: { word: 'Failed', icon: 'cross', tone: 'failed' },
  cancelled: { word: 'Cancelled', icon: 'stop', tone: 'queued' },
}

const TONES: Record<Tone, string> = {
  waiting: 'bg-waiting-soft text-waiting',
  running: 'bg-running-soft text-running',
  done: 'bg-done-soft text-done',
  failed: 'bg-failed-soft text-failed',
  queued: 'bg-queued-soft text-queued',
}

export const TONE_TEXT: Record<Tone, string> = {
  waiting: 'text-waiting',
  running: 'text-running',
  done: 'text-done',
  failed: 'text-failed',
  queued: 'text-queued',
}

export function Badge({ word, icon, tone }: StatusWord) {
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded-full px-2 py-0.5 text-sm font-medium whitespace-nowrap ${TONES[tone]}`}
    >
      <Icon name={icon} className={icon === 'running' ? 'spin size-3.5' : 'size-3.5'} />
      {word}
    </span>
  )
}

/** The status of a workflow; while it runs, what its attempt waits for counts more. */
export function WorkflowBadge({
  status,
  attempt_state,
}: {
  status: WorkflowStatus
  attempt_state?: AttemptState | undefined
}) {
  const waits = status === 'in_progress' && (attempt_state === 'backing_off' || attempt_state === 'queued')
  return <Badge {...(waits ? ATTEMPT_STATE_WORDS[attempt_state] : WORKFLOW_STATUS_WORDS[status])} />
}

/** The drawing of a status alone, for dense rows; the word is there for screen readers and as a tooltip. */
export function StatusIcon({ status }: { status: WorkflowStatus }) {
  const { word, icon, tone } = WORKFLOW_STATUS_WORDS[status]
  return (
    <span className={TONE_TEXT[tone]} title={word}>
      <Icon name={icon} className={icon === 'running' ? 'spin' : ''} />
      <span className="sr-only">{word}</span>
    </span>
  )
}
