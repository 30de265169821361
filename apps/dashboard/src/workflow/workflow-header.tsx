import { useState } from 'react'
import { Link } from '@tanstack/react-router'

import type { Attempt, Workflow } from '@orchestrator/contract'

import { Button } from '../components/button.tsx'
import { WorkflowBadge } from '../components/status.tsx'
import { Ago } from '../components/time.tsx'
import { useAgentTitle } from './agent-name.ts'
import { CancelDialog } from './cancel-dialog.tsx'
import { FeatureStepper } from './feature-stepper.tsx'
import { PhaseStepper } from './phase-stepper.tsx'
import { actorName, headline, isActive } from './words.ts'

/** Where a workflow stands, in two lines: its feature, its phases, its costs. */
export function WorkflowHeader({ workflow, attempts }: { workflow: Workflow; attempts: Attempt[] }) {
  const [cancelling, setCancelling] = useState(false)
  const { feature_id, feature_description, created_by, created_at, agent, attempt } = workflow
  const cost = attempts.reduce((sum, { usage }) => sum + (usage?.cost_usd ?? 0), 0)
  const agent_title = useAgentTitle(attempts.at(-1)?.agent ?? agent)
  const more = headline(feature_description) !== feature_description.trim()
  return (
    <header className="-mt-3 flex flex-col gap-2.5">
      <div className="flex min-h-8 flex-wrap items-center gap-x-3 gap-y-1 text-sm text-soft">
        <span role="status">
          <WorkflowBadge status={workflow.status} attempt_state={attempt?.state} />
        </span>
        <Link
          to="/features/$feature_id"
          params={{ feature_id }}
          className="font-mono text-xs text-accent underline underline-offset-2 [overflow-wrap:anywhere]"
        >
          {feature_id}
        </Link>
        <span>
          started by {actorName(created_by)} <Ago at={created_at} />, done by {agent_title ?? 'an agent'}
        </span>
        {cost > 0 && <span className="tabular-nums">${cost.toFixed(2)}</span>}
        {isActive(workflow) && workflow.status !== 'waiting_approval' && (
          <Button
            look="quiet"
            icon="stop"
            className="min-h-7 px-2 text-sm sm:ml-auto"
            onClick={() => setCancelling(true)}
          >
            Cancel…
          </Button>
        )}
      </div>
      {more && (
        <details className="-mt-1 text-soft">
          <summary className="w-fit text-sm text-accent underline underline-offset-2">Whole description</summary>
          <p className="mt-1 max-w-prose whitespace-pre-wrap">{feature_description}</p>
        </details>
      )}
      <div className="card flex flex-wrap items-center justify-between gap-x-6 gap-y-1 px-3 py-1.5">
        <FeatureStepper feature_id={feature_id} current={workflow.id} />
        <PhaseStepper workflow={workflow} />
      </div>
      {cancelling && <CancelDialog workflow_id={workflow.id} onClose={() => setCancelling(false)} />}
    </header>
  )
}
