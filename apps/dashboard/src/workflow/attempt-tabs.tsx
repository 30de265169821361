import type { Attempt, WorkflowType } from '@orchestrator/contract'

import { Icon, type IconName } from '../components/icon.tsx'
import { ATTEMPT_STATE_WORDS, TONE_TEXT, type Tone } from '../components/status.tsx'
import { phaseName } from './words.ts'

interface AttemptTabsProps {
  workflow_type: WorkflowType
  attempts: Attempt[]
  shown: Attempt | undefined
  onChoose: (attempt_id: string) => void
}

const VERDICTS = {
  approved: { word: 'approved', icon: 'check', tone: 'done' },
  changes_requested: { word: 'changes requested', icon: 'comment', tone: 'waiting' },
  stopped: { word: 'stopped', icon: 'stop', tone: 'failed' },
} as const satisfies Record<NonNullable<Attempt['review']>['verdict'], { word: string; icon: IconName; tone: Tone }>

const NOTED = { word: 'approved with notes', icon: 'check', tone: 'done' } as const

/** More than this belong into a list. */
const MOST_TABS = 8

/** What became of an attempt: its verdict where there is one, else its state. */
function outcomeOf({ review, state }: Attempt): { word: string; icon: IconName; tone: Tone } {
  if (review !== null)
    return review.verdict === 'approved' && review.threads.length > 0 ? NOTED : VERDICTS[review.verdict]
  if (state === 'succeeded') return { word: 'needs review', icon: 'eye', tone: 'waiting' }
  return ATTEMPT_STATE_WORDS[state]
}

/** All attempts of all phases, in order: none is ever overwritten. */
export function AttemptTabs({ workflow_type, attempts, shown, onChoose }: AttemptTabsProps) {
  if (attempts.length > MOST_TABS)
    return (
      <label className="flex items-center gap-2 pb-1.5 text-sm text-soft">
        Attempt
        <select
          value={shown?.id}
          onChange={(event) => onChoose(event.target.value)}
          className="field w-auto py-0.5 text-sm"
        >
          {attempts.map((attempt) => (
            <option key={attempt.id} value={attempt.id}>
              {phaseName(workflow_type, attempt.phase)} {attempt.number}, {outcomeOf(attempt).word}
            </option>
          ))}
        </select>
        of {attempts.length}
      </label>
    )
  return (
    <div role="group" aria-label="Attempts" className="flex flex-wrap items-center gap-1 pb-1.5">
      {attempts.map((attempt, index) => {
        const { word, icon, tone } = outcomeOf(attempt)
        const first_of_phase = attempts[index - 1]?.phase !== attempt.phase
        return (
          <span key={attempt.id} className="inline-flex items-center gap-1">
            {first_of_phase && (
              <span className="px-1 text-sm text-faint">{phaseName(workflow_type, attempt.phase)}</span>
            )}
            <button
              type="button"
              aria-pressed={attempt.id === shown?.id}
              title={`Attempt ${attempt.number}: ${word}`}
              onClick={() => onChoose(attempt.id)}
              className="inline-flex min-h-7 items-center gap-1 rounded-md border border-line px-1.5 text-sm tabular-nums hover:bg-hover aria-pressed:border-accent aria-pressed:bg-accent-soft aria-pressed:font-semibold"
            >
              <span className="sr-only">Attempt </span>
              {attempt.number}
              <Icon name={icon} className={`size-3.5 ${TONE_TEXT[tone]} ${icon === 'running' ? 'spin' : ''}`} />
              <span className="sr-only">, {word}</span>
            </button>
          </span>
        )
      })}
    </div>
  )
}
