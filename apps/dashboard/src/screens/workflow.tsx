import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'

import { attemptsQuery, historyQuery, workflowQuery } from '../api/queries.ts'
import { isRefusal } from '../api/request.ts'
import { LoadFailure, LoadingRows } from '../components/notice.tsx'
import { WorkflowView } from '../workflow/workflow-view.tsx'
import { Missing } from './missing.tsx'

const route = getRouteApi('/workflows/$workflow_id')

/** One workflow: where it stands, what its attempts produced, and the review. */
export function WorkflowScreen() {
  const { workflow_id } = route.useParams()
  const workflow = useQuery(workflowQuery(workflow_id))
  const attempts = useQuery(attemptsQuery(workflow_id))
  const history = useQuery(historyQuery(workflow_id))

  if (isRefusal(workflow.error, 'WORKFLOW_NOT_FOUND') || isRefusal(workflow.error, 'INVALID_UUID')) return <Missing />
  const failed = [workflow, attempts, history].find((query) => query.data === undefined && query.isError)
  if (failed?.error != null)
    return (
      <div className="p-6">
        <LoadFailure what="The workflow" error={failed.error} retry={() => void failed.refetch()} />
      </div>
    )
  if (workflow.data === undefined || attempts.data === undefined || history.data === undefined)
    return <LoadingRows rows={6} label="Loading the workflow" />
  return <WorkflowView key={workflow_id} workflow={workflow.data} attempts={attempts.data} history={history.data} />
}
