import type { AgentUpdate, AttemptId, AttemptState, Usage, WorkflowId } from '@orchestrator/contract'

import type { Outcome } from './outcome.ts'
import type { AttemptWork, WorkflowStore, WorkflowTransaction } from './ports.ts'
import { byItself } from './origin.ts'
import * as sentences from './sentences.ts'
import { currentAttempt, getWorkflow, UNFINISHED, type WorkflowSteps } from './workflow-steps.ts'

export interface AttemptLifecycleOptions {
  store: WorkflowStore
  steps: WorkflowSteps
  /** Called after a commit that left something for the hub to stop. */
  onCancellation: () => void
}

/** What becomes of an attempt while it is run: the executor's side of the state machine. Each step is one commit. */
export class AttemptLifecycle {
  readonly #store: WorkflowStore
  readonly #steps: WorkflowSteps
  readonly #onCancellation: () => void

  constructor({ store, steps, onCancellation }: AttemptLifecycleOptions) {
    this.#store = store
    this.#steps = steps
    this.#onCancellation = onCancellation
  }

  /** The executor takes an attempt up: starts a pending workflow. Undefined when the attempt is no longer wanted. */
  begin(attempt_id: AttemptId): Promise<AttemptWork | undefined> {
    return this.#store.write(async (tx) => {
      const work = await tx.findWork(attempt_id)
      if (work === undefined || !isWanted(work)) return undefined
      const tries = work.tries + 1
      const started_at = work.tries === 0 ? this.#steps.now() : null
      await tx.beginAttempt(attempt_id, { tries, started_at })
      await this.#steps.tellAttempt(tx, work, 'running', null, null)
      if (work.workflow.status === 'pending') await this.#steps.start(tx, work.workflow)
      return { ...work, tries }
    })
  }

  /** The attempt has to wait before it begins; told once for each reason. */
  async hold(attempt_id: AttemptId, reason: string): Promise<void> {
    await this.#store.write(async (tx) => {
      const work = await tx.findWork(attempt_id)
      if (work === undefined || !isWanted(work) || work.workflow.attempt?.reason === reason) return
      if (await tx.changeAttempt(attempt_id, ['queued'], { reason }))
        await this.#steps.tellAttempt(tx, work, 'queued', reason, null)
    })
  }

  /** The attempt waits for another try. Answers false when it is no longer wanted. */
  backOff(work: AttemptWork, reason: string, next_retry_at: string): Promise<boolean> {
    return this.#store.write(async (tx) => {
      const kept = await tx.backOffAttempt(work, { reason, next_retry_at })
      if (kept) await this.#steps.tellAttempt(tx, work, 'backing_off', reason, next_retry_at)
      return kept
    })
  }

  /** The hub took the attempt on under this name. One that ended meanwhile is stopped there: it may have been too early for that before. */
  async noteInvocation(attempt_id: AttemptId, agent: string, invocation_id: string): Promise<void> {
    await this.#store.write(async (tx) => {
      const state = await tx.noteInvocation(attempt_id, agent, invocation_id)
      if (state === undefined || isUnfinished(state)) return
      await tx.insertCancellation(attempt_id)
      tx.afterCommit(this.#onCancellation)
    })
  }

  /** What the agent did lately, for those who watch, up to the hub's sequence: what is told already is not told again. */
  async recordUpdates(work: AttemptWork, updates: AgentUpdate[], hub_sequence: number): Promise<void> {
    const { attempt_id, phase, number } = work
    await this.#store.write(async (tx) => {
      if (!(await tx.noteUpdates(work, hub_sequence))) return
      const data = { attempt_id, phase, number, updates }
      await tx.appendEvent({ type: 'agent.update', workflow_id: work.workflow.id, created_at: this.#steps.now(), data })
    })
  }

  /** The hub answered. Answers false when somebody else ended the attempt before. */
  async complete(tx: WorkflowTransaction, attempt_id: AttemptId, outcome: Outcome): Promise<boolean> {
    const work = await this.#findCurrent(tx, attempt_id)
    if (work === undefined) return false
    const { workflow, feedback } = work
    if (feedback?.ticks !== undefined) await tx.markTicksApplied(workflow.feature_id)
    const move = this.#steps.decide(workflow, 'agent_complete')
    await this.#steps.take(tx, workflow, {
      trigger: 'agent_complete',
      origin: byItself(`agent:${outcome.agent}`),
      move,
      metadata: null,
      outcome,
    })
    return true
  }

  /** The attempt failed for good. `release`: the hub may still be working on it. Answers as `complete` does. */
  async fail(
    tx: WorkflowTransaction,
    attempt_id: AttemptId,
    error: string,
    release: boolean,
    actor: string,
    usage: Usage | null = null,
  ): Promise<boolean> {
    const workflow = (await this.#findCurrent(tx, attempt_id))?.workflow
    if (workflow === undefined) return false
    const move = this.#steps.decide(workflow, 'error')
    await this.#steps.take(tx, workflow, {
      trigger: 'error',
      origin: byItself(actor),
      move,
      metadata: null,
      error,
      release,
      usage,
    })
    return true
  }

  /**
   * Where phases are run outside, nothing waits for a slot: starts what an earlier setting left queued.
   * Answers how many.
   */
  async startQueued(): Promise<number> {
    let started = 0
    let cursor: string | null | undefined
    while (cursor !== null) {
      const page = await this.#store.listWorkflows({
        status: 'pending',
        limit: 200,
        ...(cursor !== undefined && { cursor }),
      })
      for (const { id } of page.items) started += await this.#store.write((tx) => this.#startOutside(tx, id))
      cursor = page.next_cursor
    }
    return started
  }

  async #startOutside(tx: WorkflowTransaction, id: WorkflowId): Promise<number> {
    const workflow = await getWorkflow(tx, id)
    if (workflow.status !== 'pending') return 0
    const change = { state: 'running', reason: sentences.waitsForExternal(), started_at: this.#steps.now() } as const
    await tx.changeAttempt(currentAttempt(workflow).id, UNFINISHED, change)
    await this.#steps.start(tx, workflow)
    return 1
  }

  async #findCurrent(tx: WorkflowTransaction, attempt_id: AttemptId): Promise<AttemptWork | undefined> {
    const work = await tx.findWork(attempt_id)
    return work !== undefined && isWanted(work) && work.workflow.status === 'in_progress' ? work : undefined
  }
}

/** Neither it nor its workflow has ended. */
function isWanted({ workflow }: AttemptWork): boolean {
  const { state } = currentAttempt(workflow)
  const { status } = workflow
  return (status === 'pending' || status === 'in_progress') && isUnfinished(state)
}

function isUnfinished(state: AttemptState): boolean {
  return UNFINISHED.some((unfinished) => unfinished === state)
}
