import type { PostedTrigger, Trigger, WorkflowId, WorkflowStatus } from '@orchestrator/contract'

/** What the seed's table and the queue say about one workflow, and nothing of how the service does it. */
export interface ModelledWorkflow {
  id: WorkflowId
  /** Workflows of one feature: only one of them may be under way. */
  feature_id: string
  status: WorkflowStatus
  phase: 'phase_1' | 'phase_2'
  attempt: number
  history: Trigger[]
  /** At the hub it runs, or waits for another try. */
  isBackingOff: boolean
}

const ENDED = new Set<WorkflowStatus>(['completed', 'failed'])
export const isActive = ({ status }: ModelledWorkflow) => !ENDED.has(status)

/** The five-state model with a queue of one slot: the first of `queue` is at work. */
export class WorkflowModel {
  readonly workflows: ModelledWorkflow[] = []
  readonly queue: ModelledWorkflow[] = []
  readonly #max_reworks: number

  constructor(max_reworks: number) {
    this.#max_reworks = max_reworks
  }

  get atWork(): ModelledWorkflow | undefined {
    return this.queue[0]
  }

  create(id: WorkflowId, feature_id: string): void {
    const workflow: ModelledWorkflow = {
      id,
      feature_id,
      status: 'pending',
      phase: 'phase_1',
      attempt: 1,
      history: [],
      isBackingOff: false,
    }
    this.workflows.push(workflow)
    this.queue.push(workflow)
    this.#startFirst()
  }

  /** Answers whether the table has this step. */
  allows({ status }: ModelledWorkflow, trigger: Trigger): boolean {
    if (trigger === 'agent_complete' || trigger === 'error') return status === 'in_progress'
    return (trigger === 'human_approved' || trigger === 'human_rejected') && status === 'waiting_approval'
  }

  take(workflow: ModelledWorkflow, trigger: PostedTrigger, abort = false): void {
    workflow.history.push(trigger)
    if (trigger === 'agent_complete') this.#leave(workflow, 'waiting_approval')
    else if (trigger === 'error') this.#leave(workflow, 'failed')
    else if (trigger === 'human_approved' && workflow.phase === 'phase_2') this.#leave(workflow, 'completed')
    else if (trigger === 'human_rejected' && (abort || workflow.attempt > this.#max_reworks))
      this.#leave(workflow, 'failed')
    else this.#handOut(workflow, trigger)
  }

  cancel(workflow: ModelledWorkflow): void {
    workflow.history.push('error')
    this.#leave(workflow, 'failed')
  }

  isBusy(feature_id: string): boolean {
    return this.workflows.some((workflow) => workflow.feature_id === feature_id && isActive(workflow))
  }

  /** What was at work is taken up anew after a restart. */
  restart(): void {
    for (const workflow of this.queue) workflow.isBackingOff = false
  }

  #handOut(workflow: ModelledWorkflow, trigger: PostedTrigger): void {
    workflow.status = 'in_progress'
    workflow.attempt = trigger === 'human_approved' ? 1 : workflow.attempt + 1
    workflow.phase = trigger === 'human_approved' ? 'phase_2' : workflow.phase
    this.queue.push(workflow)
  }

  #leave(workflow: ModelledWorkflow, status: WorkflowStatus): void {
    workflow.status = status
    workflow.isBackingOff = false
    const at = this.queue.indexOf(workflow)
    if (at >= 0) this.queue.splice(at, 1)
    this.#startFirst()
  }

  #startFirst(): void {
    const [first] = this.queue
    if (first?.status !== 'pending') return
    first.status = 'in_progress'
    first.history.push('start')
  }
}
