import type { Phase, Workflow } from '@orchestrator/contract'

import { Icon } from '../components/icon.tsx'
import { TONE_TEXT, WORKFLOW_STATUS_WORDS } from '../components/status.tsx'
import { phaseName, TYPE_NAMES } from './words.ts'

const PHASE_ORDER = ['phase_1', 'phase_2'] as const satisfies readonly Phase[]

/** The two phases of this workflow and where it stands between them. */
export function PhaseStepper({ workflow: { workflow_type, current_phase, status } }: { workflow: Workflow }) {
  const at = status === 'completed' ? PHASE_ORDER.length : PHASE_ORDER.findIndex((phase) => phase === current_phase)
  return (
    <ol aria-label={`Phases of ${TYPE_NAMES[workflow_type]}`} className="flex items-center gap-1 py-1 text-sm">
      {PHASE_ORDER.map((phase, index) => {
        const { icon, tone, word } =
          index < at
            ? WORKFLOW_STATUS_WORDS.completed
            : index === at
              ? WORKFLOW_STATUS_WORDS[status]
              : WORKFLOW_STATUS_WORDS.pending
        return (
          <li key={phase} aria-current={index === at ? 'step' : undefined} className="flex items-center gap-1">
            {index > 0 && <Icon name="chevron" className="size-3 text-faint" />}
            <span className={`inline-flex items-center gap-1.5 px-1 ${index > at ? 'text-faint' : ''}`}>
              {index <= at && (
                <Icon name={icon} className={`size-3.5 ${TONE_TEXT[tone]} ${icon === 'running' ? 'spin' : ''}`} />
              )}
              {phaseName(workflow_type, phase)}
              <span className="sr-only">, {index > at ? 'not begun' : word}</span>
            </span>
          </li>
        )
      })}
    </ol>
  )
}
