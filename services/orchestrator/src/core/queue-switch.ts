import type { Queue } from '@orchestrator/contract'

import type { Origin } from './origin.ts'
import type { Clock, PhaseQueue, WorkflowStore } from './ports.ts'

export interface QueueSwitchOptions {
  store: WorkflowStore
  queue: PhaseQueue
  clock: Clock
  slots: number
  slots_per_agent: number | undefined
}

/** Pauses and resumes the handing out of work, for all replicas; each change is told in the commit that makes it. */
export class QueueSwitch {
  readonly #o: QueueSwitchOptions

  constructor(o: QueueSwitchOptions) {
    this.#o = o
  }

  async describe(): Promise<Queue> {
    const { queue, slots, slots_per_agent } = this.#o
    const [pause, load] = await Promise.all([queue.findPause(), queue.describeLoad()])
    return {
      state: pause === undefined ? 'running' : 'paused',
      paused_at: pause?.paused_at ?? null,
      paused_by: pause?.paused_by ?? null,
      reason: pause?.reason ?? null,
      ...load,
      slots,
      slots_per_agent: slots_per_agent ?? null,
    }
  }

  /** Of a queue that is paused already it changes nothing: who paused it first, and why, stays. */
  async pause(by: Origin, reason: string | null): Promise<Queue> {
    const { store, queue } = this.#o
    const now = this.#o.clock.now().toISOString()
    await store.write(async (tx) => {
      if (!(await queue.pause(tx, { paused_at: now, paused_by: by.name, reason }))) return
      await tx.recordAct({ by, action: 'queue.paused', subject: 'phases', details: {}, created_at: now })
      const data = { state: 'paused', actor: by.name, reason } as const
      await tx.appendEvent({ type: 'queue.state', workflow_id: null, created_at: now, data })
    })
    return this.describe()
  }

  async resume(by: Origin): Promise<Queue> {
    const { store, queue } = this.#o
    const now = this.#o.clock.now().toISOString()
    await store.write(async (tx) => {
      if (!(await queue.resume(tx))) return
      await tx.recordAct({ by, action: 'queue.resumed', subject: 'phases', details: {}, created_at: now })
      const data = { state: 'running', actor: by.name, reason: null } as const
      await tx.appendEvent({ type: 'queue.state', workflow_id: null, created_at: now, data })
    })
    return this.describe()
  }
}
