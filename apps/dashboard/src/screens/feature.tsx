import { useQuery } from '@tanstack/react-query'
import { Link, getRouteApi } from '@tanstack/react-router'

import type { Workflow } from '@orchestrator/contract'

import { featureQuery } from '../api/queries.ts'
import { isRefusal } from '../api/request.ts'
import { buttonClass } from '../components/button.tsx'
import { LoadFailure, LoadingRows } from '../components/notice.tsx'
import { Page } from '../components/page.tsx'
import { WorkflowBadge } from '../components/status.tsx'
import { Ago, formatDay } from '../components/time.tsx'
import { featureSteps, type FeatureStep } from '../workflow/feature-steps.ts'
import { StartNext } from '../workflow/start-next.tsx'
import { headline, phaseName, TYPE_NAMES, TYPE_PURPOSES } from '../workflow/words.ts'
import { Artifacts, Coverage, Totals } from './feature-facts.tsx'
import { Missing } from './missing.tsx'

const route = getRouteApi('/features/$feature_id')

/** One feature: its four workflows in order, and what can be started now. */
export function FeatureScreen() {
  const { feature_id } = route.useParams()
  const feature = useQuery(featureQuery(feature_id))
  if (isRefusal(feature.error, 'FEATURE_NOT_FOUND') || isRefusal(feature.error, 'VALIDATION_ERROR')) return <Missing />
  if (feature.data === undefined)
    return (
      <Page title={feature_id}>
        {feature.isError ? (
          <LoadFailure what="The feature" error={feature.error} retry={() => void feature.refetch()} />
        ) : (
          <LoadingRows rows={4} label="Loading the feature" />
        )}
      </Page>
    )
  const { id, description, workspace, created_at, workflows, artifacts, coverage, totals } = feature.data
  return (
    <Page title={headline(description)}>
      <div className="mb-6 flex flex-wrap gap-x-4 gap-y-1 text-sm text-soft">
        <span className="font-mono text-xs leading-5 [overflow-wrap:anywhere]">{id}</span>
        <span>Workspace {workspace}</span>
        <span>Begun {formatDay(created_at)}</span>
      </div>
      {headline(description) !== description.trim() && (
        <details className="mb-6">
          <summary className="font-medium text-accent">The whole description</summary>
          <p className="mt-2 max-w-prose whitespace-pre-wrap text-soft">{description}</p>
        </details>
      )}
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-x-6 gap-y-4 lg:grid-cols-[minmax(0,1fr)_17rem]">
        <ol className="flex flex-col">
          {featureSteps(workflows).map((step, index, all) => (
            <Step
              key={step.workflow_type}
              step={step}
              number={index + 1}
              last={index === all.length - 1}
              feature_id={id}
            />
          ))}
        </ol>
        <aside aria-label="Facts" className="flex flex-col gap-4">
          <Totals totals={totals} />
          <Artifacts artifacts={artifacts} />
        </aside>
      </div>
      <Coverage coverage={coverage} />
    </Page>
  )
}

interface StepProps {
  step: FeatureStep
  number: number
  last: boolean
  feature_id: Workflow['feature_id']
}

function Step({ step, number, last, feature_id }: StepProps) {
  const { workflow, workflow_type, earlier, next } = step
  const done = workflow?.status === 'completed'
  return (
    <li className="grid grid-cols-[2rem_1fr] gap-x-3">
      <div className="flex flex-col items-center">
        <span
          aria-hidden="true"
          className={`grid size-7 place-items-center rounded-full text-sm font-semibold ${done ? 'bg-done-soft text-done' : next || workflow !== undefined ? 'bg-accent-soft text-accent' : 'bg-sunken text-faint'}`}
        >
          {number}
        </span>
        {!last && <span className="w-px flex-1 bg-line" />}
      </div>
      <div className="card mb-4 flex flex-wrap items-center gap-x-4 gap-y-3 p-4">
        <div className="min-w-0 flex-[1_1_14rem]">
          <h2 className="font-semibold">{TYPE_NAMES[workflow_type]}</h2>
          <p className="text-soft">{TYPE_PURPOSES[workflow_type]}</p>
          {workflow !== undefined && (
            <p className="mt-2 flex flex-wrap items-center gap-x-3 gap-y-1 text-sm text-soft">
              <WorkflowBadge status={workflow.status} attempt_state={workflow.attempt?.state} />
              {workflow.current_phase !== null && <span>{phaseName(workflow_type, workflow.current_phase)}</span>}
              <span>
                changed <Ago at={workflow.updated_at} />
              </span>
            </p>
          )}
          {workflow?.error != null && <p className="mt-2 text-failed">{workflow.error}</p>}
          {earlier.length > 0 && <EarlierRuns workflows={earlier} />}
        </div>
        {workflow !== undefined && (
          <Link
            to="/workflows/$workflow_id"
            params={{ workflow_id: workflow.id }}
            className={buttonClass(workflow.status === 'waiting_approval' ? 'primary' : 'plain')}
          >
            {workflow.status === 'waiting_approval' ? 'Review' : 'Open'}
            <span className="sr-only"> {TYPE_NAMES[workflow_type]}</span>
          </Link>
        )}
        {next && <StartNext feature_id={feature_id} workflow_type={workflow_type} />}
      </div>
    </li>
  )
}

function EarlierRuns({ workflows }: { workflows: Workflow[] }) {
  return (
    <ul className="mt-2 flex flex-col gap-1 text-sm">
      {workflows.toReversed().map((workflow) => (
        <li key={workflow.id}>
          <Link
            to="/workflows/$workflow_id"
            params={{ workflow_id: workflow.id }}
            className="inline-flex items-center gap-2 text-soft hover:text-ink"
          >
            <WorkflowBadge status={workflow.status} />
            an earlier run, <Ago at={workflow.created_at} />
          </Link>
        </li>
      ))}
    </ul>
  )
}
