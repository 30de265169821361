import type { Workflow, WorkflowType } from '@orchestrator/contract'

import { isActive, WORKFLOW_TYPE_ORDER } from './words.ts'

/** One of the four stations of a feature, with the run that counts and those before it. */
export interface FeatureStep {
  workflow_type: WorkflowType
  /** The newest run of this type. */
  workflow: Workflow | undefined
  earlier: Workflow[]
  /** The first station that is not completed, when nothing runs: what a person would start now. */
  next: boolean
}

/** Sorts a feature's workflows (oldest first) into its four stations. */
export function featureSteps(workflows: readonly Workflow[]): FeatureStep[] {
  const busy = workflows.some(isActive)
  const steps = WORKFLOW_TYPE_ORDER.map((workflow_type) => {
    const runs = workflows.filter((workflow) => workflow.workflow_type === workflow_type)
    return { workflow_type, workflow: runs.at(-1), earlier: runs.slice(0, -1), next: false }
  })
  const next = steps.find(({ workflow }) => workflow?.status !== 'completed')
  return steps.map((step) => ({ ...step, next: !busy && step === next }))
}
