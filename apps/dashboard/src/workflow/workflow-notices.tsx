import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'

import type { Attempt, Transition, Workflow } from '@orchestrator/contract'

import { useRetryWorkflow } from '../api/mutations.ts'
import { featureQuery } from '../api/queries.ts'
import { isRefusal } from '../api/request.ts'
import { Button } from '../components/button.tsx'
import { Notice } from '../components/notice.tsx'
import { showToast } from '../components/toast.tsx'
import { formatClock } from '../components/time.tsx'
import { featureSteps } from './feature-steps.ts'
import { StartNext } from './start-next.tsx'
import { actorName, nextType, phaseName, TYPE_NAMES } from './words.ts'

interface OverNoticeProps {
  workflow: Workflow
  attempts: Attempt[]
}

/** A workflow that has ended: why, and what to do next. */
export function OverNotice({ workflow, attempts }: OverNoticeProps) {
  if (workflow.status === 'failed')
    return <FailedNotice workflow={workflow} stopped={attempts.at(-1)?.review?.verdict === 'stopped'} />
  return workflow.status === 'completed' ? <CompletedNotice workflow={workflow} /> : null
}

function CompletedNotice({ workflow }: { workflow: Workflow }) {
  const feature = useQuery(featureQuery(workflow.feature_id))
  const open = featureSteps(feature.data?.workflows ?? []).find((step) => step.next)
  const following = nextType(workflow.workflow_type)
  // What follows may have been started long ago: the steps above lead there.
  const next = open?.workflow_type === following ? following : undefined
  return (
    <Notice
      tone="done"
      icon="check"
      title={`${TYPE_NAMES[workflow.workflow_type]} is completed`}
      action={next !== undefined && <StartNext feature_id={workflow.feature_id} workflow_type={next} />}
    >
      {following === undefined && 'The feature is done.'}
      {next !== undefined && `Next for this feature: ${TYPE_NAMES[next]}.`}
    </Notice>
  )
}

function FailedNotice({ workflow, stopped }: { workflow: Workflow; stopped: boolean }) {
  const navigate = useNavigate()
  const retry = useRetryWorkflow()
  const start = () =>
    retry.mutate(workflow.id, {
      onSuccess: ({ id }) => {
        showToast('Started again')
        void navigate({ to: '/workflows/$workflow_id', params: { workflow_id: id } })
      },
    })
  return (
    <Notice
      tone="failed"
      icon={stopped ? 'stop' : 'cross'}
      title={stopped ? 'A reviewer stopped this workflow' : 'This workflow failed'}
      action={
        <Button icon="retry" busy={retry.isPending} disabled={retry.isPending} onClick={start}>
          Retry
        </Button>
      }
    >
      <p>{workflow.error ?? 'No reason was given.'}</p>
      {retry.error !== null && (
        <p role="alert" className="mt-1 text-failed">
          {retry.error.message}
        </p>
      )}
    </Notice>
  )
}

interface RefusedVerdictProps {
  error: Error
  history: Transition[]
  onReload: () => void
  onDismiss: () => void
}

/** A verdict that came too late or did not get through; the draft is still there. */
export function RefusedVerdict({ error, history, onReload, onDismiss }: RefusedVerdictProps) {
  const stale = isRefusal(error, 'STALE_REVIEW')
  const overtaken = isRefusal(error, 'INVALID_STATE_TRANSITION')
  const decision = history.findLast(({ trigger }) => trigger.startsWith('human') || trigger === 'error')
  const load = () => {
    onDismiss()
    onReload()
  }
  return (
    <div role="alert">
      <Notice
        tone={stale || overtaken ? 'waiting' : 'failed'}
        icon="warning"
        title={
          stale
            ? 'There is a newer attempt'
            : overtaken
              ? 'Somebody else was first'
              : 'Your verdict did not get through'
        }
        action={
          stale || overtaken ? (
            <Button icon="arrow" onClick={load}>
              Load the newest attempt
            </Button>
          ) : (
            <Button look="quiet" onClick={onDismiss}>
              Dismiss
            </Button>
          )
        }
      >
        <p>
          {overtaken && decision !== undefined ? decisionWords(decision) : error.message} Nothing was decided in your
          name, and your comments are kept.
        </p>
      </Notice>
    </div>
  )
}

const DECISIONS: Partial<Record<Transition['trigger'], string>> = {
  human_approved: 'approved',
  human_rejected: 'requested changes to',
  error: 'ended',
}

const decisionWords = ({ actor, trigger, attempt, created_at }: Transition): string =>
  `${actorName(actor)} ${DECISIONS[trigger] ?? 'changed'} ${attempt === null ? 'it' : `attempt ${attempt}`} at ${formatClock(created_at)}.`

interface UnseenAttemptProps {
  shown: Attempt
  latest: Attempt
  workflow: Workflow
  drafted: number
  onLoad: () => void
}

/** An earlier attempt is on screen, by choice or because comments were being written on it. */
export function UnseenAttempt({ shown, latest, workflow, drafted, onLoad }: UnseenAttemptProps) {
  const name = phaseName(workflow.workflow_type, latest.phase)
  return (
    <Notice
      tone={drafted > 0 ? 'waiting' : 'queued'}
      icon={drafted > 0 ? 'warning' : 'eye'}
      title={`You are looking at ${phaseName(workflow.workflow_type, shown.phase)}, attempt ${shown.number}`}
      action={
        <Button icon="arrow" onClick={onLoad}>
          Go to {name}, attempt {latest.number}
        </Button>
      }
    >
      {shown.review !== null &&
        `${actorName(shown.review.actor)} decided on it at ${formatClock(shown.review.created_at)}. `}
      {drafted > 0 && 'Your drafted comments come along.'}
    </Notice>
  )
}
