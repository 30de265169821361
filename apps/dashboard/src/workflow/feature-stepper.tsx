import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'

import { featureQuery } from '../api/queries.ts'
import { Icon } from '../components/icon.tsx'
import { TONE_TEXT, WORKFLOW_STATUS_WORDS } from '../components/status.tsx'
import { featureSteps, type FeatureStep } from './feature-steps.ts'
import { TYPE_NAMES } from './words.ts'

/** `Specify ✓ — Plan, needs review — Tasks — Implement`, in one line above a workflow. */
export function FeatureStepper({ feature_id, current }: { feature_id: string; current: string }) {
  const { data } = useQuery(featureQuery(feature_id))
  const steps = featureSteps(data?.workflows ?? [])
  return (
    <nav aria-label="Steps of this feature" className="-mx-1 overflow-x-auto px-1 py-1">
      <ol className="flex items-center gap-0.5 text-sm sm:gap-1">
        {steps.map((step, index) => (
          <li key={step.workflow_type} className="flex items-center gap-1">
            {index > 0 && <span aria-hidden="true" className="h-px w-6 bg-line-strong/60 max-sm:hidden" />}
            <Station step={step} current={step.workflow?.id === current} />
          </li>
        ))}
      </ol>
    </nav>
  )
}

function Station({ step: { workflow, workflow_type }, current }: { step: FeatureStep; current: boolean }) {
  const name = TYPE_NAMES[workflow_type]
  if (workflow === undefined)
    return (
      <span className="inline-flex items-center gap-1.5 px-1 py-0.5 sm:px-1.5 whitespace-nowrap text-faint">
        <span
          aria-hidden="true"
          className="size-3 rounded-full border border-dashed border-line-strong max-sm:hidden"
        />
        {name}
        <span className="sr-only">, not started</span>
      </span>
    )
  const { icon, tone, word } = WORKFLOW_STATUS_WORDS[workflow.status]
  return (
    <Link
      to="/workflows/$workflow_id"
      params={{ workflow_id: workflow.id }}
      aria-current={current ? 'step' : undefined}
      title={`${name}: ${word}`}
      className="inline-flex items-center gap-1 rounded-full px-1 py-0.5 sm:gap-1.5 sm:px-2 whitespace-nowrap hover:bg-hover aria-[current=step]:bg-accent-soft aria-[current=step]:font-semibold"
    >
      <Icon name={icon} className={`size-3.5 ${TONE_TEXT[tone]} ${icon === 'running' ? 'spin' : ''}`} />
      {name}
      <span className="sr-only">, {word}</span>
    </Link>
  )
}
