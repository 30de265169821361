import type { Attempt, Transition, WorkflowType } from '@orchestrator/contract'

import { readReasons } from './reasons.ts'
import { phaseName } from './words.ts'

export type TimelineKind = 'queued' | 'running' | 'waiting' | 'approved' | 'rejected' | 'failed' | 'completed' | 'retry'

/** One line of the causal chain: what happened, by whom, why. */
export interface TimelineEntry {
  id: string
  at: string
  kind: TimelineKind
  text: string
  /** Null for what the service did by itself. */
  actor: string | null
  /** The words a person or the service gave as a reason. */
  reasons: string[]
  /** Rank among entries of the same millisecond: a cause stands before what follows from it. */
  order: number
  /** Milliseconds since the entry before, when long enough to be worth telling: then it is idle time, and folds. */
  idle_ms: number | null
  /** Milliseconds since its cause; null for what somebody decided, and for the beginning. */
  after_ms: number | null
}

const IDLE_WORTH_TELLING_MS = 60_000

/** Joins the transitions with what the attempts tell in between: accepted → queued → handed to the agent → reviewed. */
export function buildTimeline(
  workflow_type: WorkflowType,
  history: readonly Transition[],
  attempts: readonly Attempt[],
): TimelineEntry[] {
  const entries = [
    ...history.map((transition) => fromTransition(workflow_type, transition)),
    ...attempts.flatMap((attempt, index) => fromAttempt(workflow_type, attempt, index === 0)),
  ]
  return entries
    .toSorted((one, other) => one.at.localeCompare(other.at) || one.order - other.order)
    .map((entry, index, sorted) => {
      const before = sorted[index - 1]
      const idle_ms = before === undefined ? 0 : Date.parse(entry.at) - Date.parse(before.at)
      const follows = before !== undefined && !DECISIONS.has(entry.kind)
      return {
        ...entry,
        idle_ms: idle_ms >= IDLE_WORTH_TELLING_MS ? idle_ms : null,
        after_ms: follows ? Math.max(0, idle_ms) : null,
      }
    })
}

/** What begins a chain of causes by itself. */
const DECISIONS: ReadonlySet<TimelineKind> = new Set(['approved', 'rejected', 'completed'])

type Ordered = Omit<TimelineEntry, 'idle_ms' | 'after_ms'>

function fromTransition(type: WorkflowType, transition: Transition): Ordered {
  const { phase, attempt, metadata, to_status, trigger } = transition
  const name = phase === null ? '' : ` ${phaseName(type, phase)}`
  const which = attempt === null ? '' : `, attempt ${attempt}`
  const base = {
    id: transition.id,
    at: transition.created_at,
    actor: trigger.startsWith('human') || metadata?.['cancelled'] === true ? transition.actor : null,
    reasons: readReasons(transition),
    order: 1,
  }
  switch (trigger) {
    case 'start':
      return { ...base, kind: 'running', text: `Work on${name}${which} began` }
    case 'agent_complete':
      return { ...base, kind: 'waiting', text: `Finished${name}${which}: needs review` }
    case 'error': {
      const cancelled = metadata?.['cancelled'] === true
      return { ...base, kind: 'failed', text: cancelled ? 'Cancelled' : `Failed in${name}${which}` }
    }
    case 'human_approved': {
      if (to_status === 'waiting_approval')
        return { ...base, kind: 'approved', text: `Approved${name}${which}: others are still needed` }
      const ended = to_status === 'completed'
      return {
        ...base,
        kind: ended ? 'completed' : 'approved',
        text: `Approved${name}${which}${ended ? ': completed' : ''}`,
      }
    }
    case 'human_rejected':
      return to_status === 'failed'
        ? { ...base, kind: 'failed', text: `Stopped at${name}${which}` }
        : { ...base, kind: 'rejected', text: `Requested changes to${name}${which}` }
  }
}

/** The first attempt is begun by a transition of its own, which needs no second line. */
function fromAttempt(type: WorkflowType, attempt: Attempt, first: boolean): Ordered[] {
  const name = `${phaseName(type, attempt.phase)}, attempt ${attempt.number}`
  const base = { actor: null, reasons: [] }
  const queued: Ordered = {
    ...base,
    id: `${attempt.id} queued`,
    at: attempt.created_at,
    kind: 'queued',
    text: first ? `Accepted: ${name} queued` : `${name} queued`,
    order: 2,
  }
  const started: Ordered[] =
    attempt.started_at === null || first
      ? []
      : [
          {
            ...base,
            id: `${attempt.id} started`,
            at: attempt.started_at,
            kind: 'running',
            text: `Work on ${name} began`,
            order: 3,
          },
        ]
  const waits = attempt.state === 'backing_off' && attempt.reason !== null
  const retry: Ordered[] = waits
    ? [
        {
          ...base,
          id: `${attempt.id} retry`,
          at: attempt.next_retry_at ?? attempt.created_at,
          kind: 'retry',
          text: `${name} is tried again`,
          reasons: [attempt.reason ?? ''],
          order: 4,
        },
      ]
    : []
  return [queued, ...started, ...retry]
}
