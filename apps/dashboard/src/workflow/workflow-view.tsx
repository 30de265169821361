import { useEffect, useState } from 'react'
import { useNavigate, useSearch } from '@tanstack/react-router'

import type { AdvanceWorkflow, Attempt, Transition, Workflow } from '@orchestrator/contract'

import { useAdvanceWorkflow } from '../api/mutations.ts'
import { showToast } from '../components/toast.tsx'
import { Page } from '../components/page.tsx'
import { useShortcuts } from '../keyboard/shortcuts.ts'
import { mayReview, useSession } from '../api/session.ts'
import { useDraft } from '../review/draft.ts'
import { ReviewBar } from '../review/review-bar.tsx'
import { ReviewPane } from '../review/review-pane.tsx'
import { useAnswers } from '../review/use-answers.ts'
import { usePlacedDrafts } from '../review/use-placed-drafts.ts'
import { VerdictDialog, type Verdict } from '../review/verdict-dialog.tsx'
import { AgentActivity } from './agent-activity.tsx'
import { AttemptTabs } from './attempt-tabs.tsx'
import { OverNotice, RefusedVerdict, UnseenAttempt } from './workflow-notices.tsx'
import { buildTimeline } from './timeline.ts'
import { TimelineList } from './timeline-list.tsx'
import { useAgentLogs } from './use-agent-logs.ts'
import { ViewTabs, type View } from './view-tabs.tsx'
import { WorkflowHeader } from './workflow-header.tsx'
import { headline, phaseName, TYPE_NAMES } from './words.ts'

interface WorkflowViewProps {
  workflow: Workflow
  attempts: Attempt[]
  history: Transition[]
}

const VERDICT_SENT: Record<Verdict, string> = {
  approve: 'Approved',
  changes: 'Changes requested',
  stop: 'Stopped',
}

export function WorkflowView({ workflow, attempts, history }: WorkflowViewProps) {
  const search = useSearch({ from: '/workflows/$workflow_id' })
  const navigate = useNavigate({ from: '/workflows/$workflow_id' })
  const logs = useAgentLogs(workflow.id)
  const [verdict, setVerdict] = useState<Verdict | null>(null)

  const latest = attempts.at(-1)
  const { shown, release } = useShownAttempt(workflow, attempts, search.attempt)
  const answers = useAnswers(workflow.id, shown?.id, workflow.attempt?.id === shown?.id)
  const advance = useAdvanceWorkflow(workflow.id, answers.send)
  const drafts = usePlacedDrafts(useDraft(workflow.id, advance.isPending), workflow.workflow_type, attempts, shown)
  const view: View = search.view ?? (shown === undefined || isUnfinished(shown) ? 'activity' : 'document')
  const session = useSession()
  const waits = shown !== undefined && waitsFor(workflow, shown)
  /** Somebody else decided on what is being read. */
  const overtaken = search.attempt === undefined && shown !== latest
  const reviewable = waits && mayReview(session)
  const before = attempts.slice(0, shown === undefined ? 0 : attempts.indexOf(shown))
  const unanswered = before.at(-1)?.review?.threads.filter(({ fate }) => fate === 'unanswered').length ?? 0
  const change = (part: Partial<typeof search>) =>
    void navigate({ search: (known) => ({ ...known, ...part }), replace: true, resetScroll: false })
  const goToLatest = () => {
    release()
    void navigate({ search: {}, replace: true })
  }
  const step = (by: 1 | -1) => {
    const next = attempts[attempts.findIndex(({ id }) => id === shown?.id) + by]
    if (next === undefined) return
    const { base: _, ...known } = search
    void navigate({ search: { ...known, attempt: next.id }, replace: true, resetScroll: false })
  }
  useShortcuts([
    { keys: '[', does: 'Previous attempt', run: () => step(-1) },
    { keys: ']', does: 'Next attempt', run: () => step(1) },
  ])

  const send = (body: AdvanceWorkflow, sent: string[]) => {
    const given = verdict
    setVerdict(null)
    // The buttons of the review go away with the verdict, and the dialog gives the focus back to them first.
    // What follows is said at the top.
    requestAnimationFrame(() => {
      document.querySelector('h1')?.focus({ preventScroll: true })
      window.scrollTo({ top: 0 })
    })
    advance.mutate(body, {
      onSuccess: () => {
        drafts.forget(sent)
        if (given !== null)
          showToast(given === 'approve' && sent.length > 0 ? 'Approved with notes' : VERDICT_SENT[given])
        goToLatest()
      },
    })
  }

  const unseen = advance.error === null && shown !== undefined && latest !== undefined && shown.id !== latest.id && (
    <UnseenAttempt
      shown={shown}
      latest={latest}
      workflow={workflow}
      drafted={drafts.written.length}
      onLoad={goToLatest}
    />
  )
  return (
    <Page
      wide
      title={`${TYPE_NAMES[workflow.workflow_type]}: ${headline(workflow.feature_description)}`}
      heading={headline(workflow.feature_description)}
    >
      <WorkflowHeader workflow={workflow} attempts={attempts} />
      <div className="mt-4 flex flex-col gap-3 empty:hidden">
        <OverNotice workflow={workflow} attempts={attempts} />
        {advance.error !== null && (
          <RefusedVerdict error={advance.error} history={history} onReload={goToLatest} onDismiss={advance.reset} />
        )}
        {!overtaken && unseen}
      </div>
      <div className="mt-5 mb-4 flex flex-wrap items-end justify-between gap-x-6 gap-y-2 border-b border-line">
        <ViewTabs view={view} onChoose={(next) => change({ view: next })} />
        <AttemptTabs
          workflow_type={workflow.workflow_type}
          attempts={attempts}
          shown={shown}
          onChoose={(attempt) => change({ attempt })}
        />
      </div>
      <div role="tabpanel" aria-label={view}>
        {view === 'history' && (
          <div className="card max-w-3xl p-4 sm:p-5">
            <TimelineList entries={buildTimeline(workflow.workflow_type, history, attempts)} />
          </div>
        )}
        {view === 'activity' && shown !== undefined && (
          <div className="max-w-4xl">
            <h2 className="sr-only">
              {phaseName(workflow.workflow_type, shown.phase)}, attempt {shown.number}
            </h2>
            <AgentActivity key={shown.id} attempt={shown} log={logs.get(shown.id)} />
          </div>
        )}
        {view === 'activity' && shown === undefined && <p className="text-soft">Nothing has been handed out yet.</p>}
        {view === 'document' && shown !== undefined && (
          <ReviewPane
            key={shown.id}
            workflow={workflow}
            attempt={shown}
            before={before}
            drafts={drafts}
            answers={answers}
            reviewable={reviewable}
            path={search.file}
            onPath={(file) => change({ file })}
            showing={search.as ?? 'document'}
            onShowing={(as) => change({ as })}
            base_id={search.base}
            onBase={(base) => change({ base })}
          />
        )}
      </div>
      {waits && !reviewable && session !== undefined && (
        <p className="mt-5 text-soft">It waits for a reviewer. You are here as {session.role}, and may read.</p>
      )}
      {reviewable && (
        <div className="sticky bottom-0 z-20 -mx-4 mt-auto -mb-8 sm:-mx-6">
          <ReviewBar
            attempt={shown}
            approvals={workflow.approvals}
            drafts={drafts}
            unanswered={unanswered}
            answers={answers.answered}
            busy={advance.isPending}
            onDecide={setVerdict}
          />
        </div>
      )}
      {overtaken && unseen !== false && (
        // Where the verdicts were: whoever was about to give one is looking there.
        <div role="status" className="sticky bottom-3 z-20 mt-5 rounded-[10px] shadow-float">
          {unseen}
        </div>
      )}
      {reviewable && verdict !== null && (
        <VerdictDialog
          verdict={verdict}
          workflow={workflow}
          attempt={shown}
          drafts={drafts}
          onSend={send}
          onClose={() => setVerdict(null)}
        />
      )}
    </Page>
  )
}

/** Whether the workflow waits for a verdict on exactly this attempt. */
const waitsFor = (workflow: Workflow, attempt: Attempt | undefined): boolean =>
  workflow.status === 'waiting_approval' && attempt !== undefined && workflow.attempt?.id === attempt.id

const isUnfinished = ({ state }: Attempt): boolean =>
  state === 'queued' || state === 'running' || state === 'backing_off'

/**
 * The attempt on screen: the one in the address, else the newest. An attempt that was put before a reviewer stays until
 * the reviewer decides or asks for the newer one: nobody loses the place, or the draft, because somebody else was first.
 */
function useShownAttempt(workflow: Workflow, attempts: Attempt[], wanted: string | undefined) {
  const [kept, setKept] = useState<string>()
  const find = (id: string | undefined) => attempts.find((attempt) => attempt.id === id)
  const shown = find(wanted) ?? find(kept) ?? attempts.at(-1)
  const shown_id = shown?.id
  const waits = waitsFor(workflow, shown)
  useEffect(() => {
    if (waits) setKept(shown_id)
  }, [waits, shown_id])
  return { shown, release: () => setKept(undefined) }
}
