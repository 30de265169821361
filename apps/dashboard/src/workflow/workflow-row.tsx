import type { ReactNode } from 'react'
import { Link } from '@tanstack/react-router'

import type { Workflow } from '@orchestrator/contract'

import { Icon } from '../components/icon.tsx'
import { StatusIcon } from '../components/status.tsx'
import { Age } from '../components/time.tsx'
import { actorName, headline, phaseTitle, TYPE_NAMES } from './words.ts'
import { summariseResult } from './workflow-result.ts'

/** One workflow as a line that is a link as a whole; `j` and `k` move between them. */
export function WorkflowRow({ workflow, note }: { workflow: Workflow; note?: ReactNode }) {
  const { workflow_type, current_phase, attempt } = workflow
  return (
    <Link
      to="/workflows/$workflow_id"
      params={{ workflow_id: workflow.id }}
      data-row
      className="flex min-h-14 items-start gap-3 px-3.5 py-2.5 transition-colors hover:bg-hover focus-visible:-outline-offset-2 sm:px-4"
    >
      <span className="mt-0.5">
        <StatusIcon status={workflow.status} />
      </span>
      <span className="min-w-0 flex-1">
        <span className="line-clamp-2 font-medium sm:line-clamp-1">{headline(workflow.feature_description)}</span>
        <span className="mt-0.5 flex flex-wrap items-center gap-x-3 text-sm text-soft">
          <span>
            {current_phase === null ? TYPE_NAMES[workflow_type] : phaseTitle(workflow_type, current_phase)}
            {attempt !== null && attempt.number > 1 && `, attempt\u00a0${attempt.number}`}
          </span>
          <RowFacts workflow={workflow} />
          <span className="truncate font-mono text-xs text-faint max-sm:hidden">{workflow.feature_id}</span>
        </span>
        {note !== undefined && <span className="mt-0.5 block text-sm">{note}</span>}
      </span>
      <span className="flex shrink-0 items-baseline gap-4 text-sm text-soft">
        <span className="w-20 truncate text-right max-sm:hidden" title={`Started by ${workflow.created_by}`}>
          {actorName(workflow.created_by)}
        </span>
        <span className="w-12 text-right">
          <Age at={workflow.updated_at} />
        </span>
      </span>
    </Link>
  )
}

/** What a reviewer weighs before opening: failed checks first, then questions, then the time it takes. */
function RowFacts({ workflow }: { workflow: Workflow }) {
  if (workflow.status !== 'waiting_approval') return null
  const { errors, warnings, questions, reading_minutes } = summariseResult(workflow.result)
  return (
    <>
      {errors > 0 && (
        <span className="inline-flex items-center gap-1 font-medium text-failed">
          <Icon name="cross" className="size-3.5" />
          {errors} failed
        </span>
      )}
      {warnings > 0 && (
        <span className="inline-flex items-center gap-1 text-waiting">
          <Icon name="warning" className="size-3.5" />
          {warnings === 1 ? '1 warning' : `${warnings} warnings`}
        </span>
      )}
      {questions > 0 && (
        <span className="inline-flex items-center gap-1 whitespace-nowrap text-waiting">
          <Icon name="question" className="size-3.5" />
          {questions === 1 ? '1 question' : `${questions} questions`}
        </span>
      )}
      {reading_minutes !== null && <span className="whitespace-nowrap">≈ {reading_minutes} min read</span>}
    </>
  )
}
