import { useNavigate } from '@tanstack/react-router'

import type { Workflow, WorkflowType } from '@orchestrator/contract'

import { useCreateWorkflow } from '../api/mutations.ts'
import { Button, type ButtonLook } from '../components/button.tsx'
import { showToast } from '../components/toast.tsx'
import { TYPE_NAMES } from './words.ts'

interface StartNextProps {
  feature_id: Workflow['feature_id']
  workflow_type: WorkflowType
  look?: ButtonLook
}

/** Starts the next workflow of a feature and goes there. */
export function StartNext({ feature_id, workflow_type, look = 'primary' }: StartNextProps) {
  const navigate = useNavigate()
  const create = useCreateWorkflow()
  const start = () =>
    create.mutate(
      { workflow_type, feature_id },
      {
        onSuccess: ({ id }) => {
          showToast(`${TYPE_NAMES[workflow_type]} started`)
          void navigate({ to: '/workflows/$workflow_id', params: { workflow_id: id } })
        },
      },
    )
  return (
    <span className="inline-flex flex-col items-start gap-1">
      <Button look={look} icon="arrow" busy={create.isPending} disabled={create.isPending} onClick={start}>
        Start {TYPE_NAMES[workflow_type]}
      </Button>
      {create.error !== null && (
        <span role="alert" className="text-sm text-failed">
          {create.error.message}
        </span>
      )}
    </span>
  )
}
