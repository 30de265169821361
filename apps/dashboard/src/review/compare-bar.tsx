import type { Attempt, WorkflowType } from '@orchestrator/contract'

import { IconButton } from '../components/button.tsx'
import { moveFocus } from '../keyboard/move-focus.ts'
import { useShortcuts } from '../keyboard/shortcuts.ts'
import { phaseName } from '../workflow/words.ts'

/** How a file is shown: the document, what changed since another attempt, its source. */
export type Showing = 'document' | 'changes' | 'source'

interface CompareBarProps {
  workflow_type: WorkflowType
  showing: Showing
  onShow: (showing: Showing) => void
  /** Attempts that this one can be compared with, oldest first; those that have the file. */
  bases: Attempt[]
  base: Attempt | undefined
  onBase: (attempt_id: string) => void
  /** Changed places on screen. */
  changes: number
}

const SHOWINGS: readonly { showing: Showing; label: string }[] = [
  { showing: 'document', label: 'Full' },
  { showing: 'changes', label: 'Changes' },
  { showing: 'source', label: 'Raw' },
]

export function CompareBar({ workflow_type, showing, onShow, bases, base, onBase, changes }: CompareBarProps) {
  const comparable = base !== undefined
  useShortcuts(
    comparable
      ? [
          {
            keys: 'd',
            does: 'Changes, or the whole',
            run: () => onShow(showing === 'changes' ? 'document' : 'changes'),
          },
        ]
      : [],
  )
  return (
    <div className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm text-soft">
      {comparable && changes > 0 && showing !== 'source' && (
        <span className="inline-flex items-center">
          <span className="mr-1 text-done">{changes === 1 ? '1 change' : `${changes} changes`}</span>
          <IconButton
            icon="chevron"
            label="Previous change"
            className="size-7 -rotate-90"
            onClick={() => moveFocus('.document [data-changed]', -1)}
          />
          <IconButton
            icon="chevron"
            label="Next change"
            className="size-7 rotate-90"
            onClick={() => moveFocus('.document [data-changed]', 1)}
          />
        </span>
      )}
      {showing === 'changes' && base !== undefined && (
        <label className="inline-flex items-center gap-1.5">
          since
          <select
            value={base.id}
            onChange={(event) => onBase(event.target.value)}
            className="field w-auto py-0.5 text-sm"
            aria-label="Compare with attempt"
          >
            {bases.map((attempt) => (
              <option key={attempt.id} value={attempt.id}>
                {phaseName(workflow_type, attempt.phase)} {attempt.number}
              </option>
            ))}
          </select>
        </label>
      )}
      <div role="group" aria-label="Show" className="inline-flex rounded-lg bg-sunken p-0.5">
        {SHOWINGS.filter((each) => comparable || each.showing !== 'changes').map((each) => (
          <button
            key={each.showing}
            type="button"
            aria-pressed={showing === each.showing}
            onClick={() => onShow(each.showing)}
            className="min-h-6 rounded-md px-2 text-soft aria-pressed:bg-raised aria-pressed:font-medium aria-pressed:text-ink aria-pressed:shadow-raised"
          >
            {each.label}
          </button>
        ))}
      </div>
    </div>
  )
}
