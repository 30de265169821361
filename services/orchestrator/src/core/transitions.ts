import type { Phase, Trigger, WorkflowStatus } from '@orchestrator/contract'

/** Where a workflow stands, as far as a transition depends on it. */
export interface Position {
  status: WorkflowStatus
  phase: Phase
  /** Number of the current attempt within the phase, from 1. */
  attempt: number
}

export interface Policy {
  phases: readonly Phase[]
  /** How often one phase may be sent back before a further rejection fails the workflow. */
  max_reworks: number
}

/** What a transition does beside moving: hand out a new attempt, or end the workflow. */
export type Effect = 'none' | 'run' | 'end'

export interface Move extends Position {
  effect: Effect
}

export type Refusal = { refused: true; allowed: readonly Trigger[] }

const TRIGGERS_FROM: Readonly<Record<WorkflowStatus, readonly Trigger[]>> = {
  pending: ['start'],
  in_progress: ['agent_complete', 'error'],
  waiting_approval: ['human_approved', 'human_rejected'],
  completed: [],
  failed: [],
}

/**
 * The seed's transition table as a pure function: position and trigger in, next position and effect
 * out, or a refusal with the triggers that would have been possible.
 */
export function transition(from: Position, trigger: Trigger, policy: Policy, abort = false): Move | Refusal {
  const allowed = TRIGGERS_FROM[from.status]
  if (!allowed.includes(trigger)) return { refused: true, allowed }
  switch (trigger) {
    case 'start':
      return { ...from, status: 'in_progress', effect: 'none' }
    case 'agent_complete':
      return { ...from, status: 'waiting_approval', effect: 'none' }
    case 'error':
      return { ...from, status: 'failed', effect: 'end' }
    case 'human_approved': {
      const next = policy.phases[policy.phases.indexOf(from.phase) + 1]
      if (next === undefined) return { ...from, status: 'completed', effect: 'end' }
      return { status: 'in_progress', phase: next, attempt: 1, effect: 'run' }
    }
    case 'human_rejected': {
      if (abort || reworksUsedUp(from, policy)) return { ...from, status: 'failed', effect: 'end' }
      return { ...from, status: 'in_progress', attempt: from.attempt + 1, effect: 'run' }
    }
  }
}

/** Whether a further rejection ends the workflow: the first attempt is no rework. */
export function reworksUsedUp(position: Position, policy: Policy): boolean {
  return position.attempt - 1 >= policy.max_reworks
}

/** Cancelling stands beside the table: every workflow that has not ended fails, with trigger `error`. */
export function cancellation(from: Position): Move | Refusal {
  if (from.status === 'completed' || from.status === 'failed') return { refused: true, allowed: [] }
  return { ...from, status: 'failed', effect: 'end' }
}
