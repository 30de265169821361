import type { CreateWorkflow, Workflow, WorkflowId } from '@orchestrator/contract'
import { onTestFinished } from 'vitest'

import { systemClock } from '../src/core/clock.ts'
import type { Claim, Clock, PhaseQueue, WorkflowStore } from '../src/core/ports.ts'
import { WorkflowStateMachine } from '../src/core/state-machine.ts'
import { untold } from './untold.ts'
import { openQueue } from '../src/db/queue.ts'
import { openSession, type Session } from '../src/db/session.ts'
import { createStore } from '../src/db/store.ts'
import { outcomeOfInvocation } from '../src/core/outcome.ts'
import { asker } from './asker.ts'

const DONE = outcomeOfInvocation({ success: true, result: { output: 'done' } }, 'demo')

/** Store, queue and state machine as one process has them, without a hub and without HTTP. */
export interface Engine {
  session: Session
  store: WorkflowStore
  queue: PhaseQueue
  machine: WorkflowStateMachine
  /** What went wrong beside the work. */
  errors: unknown[]
  create(body?: Partial<CreateWorkflow>): Promise<Workflow>
  get(id: WorkflowId): Promise<Workflow>
  /** Begins what was claimed and settles it as done. */
  finish(claim: Claim): Promise<void>
  /** Hands claims to `run` and keeps them; stopped with the engine. */
  consume(
    run: (claim: Claim) => Promise<void>,
    concurrency?: number,
    concurrency_per_agent?: number,
  ): Promise<{ stop(): Promise<void> }>
  close(): Promise<void>
}

export const DESCRIPTION = 'Add user authentication with OAuth2'

/** Closed when the test ends, if not before. */
export async function openEngine(
  url: string,
  { clock = systemClock, phase_execution = 'hub' }: { clock?: Clock; phase_execution?: 'hub' | 'external' } = {},
): Promise<Engine> {
  const errors: unknown[] = []
  const onError = (error: unknown) => void errors.push(error)
  const session = await openSession({ url, onFatal: onError, onError })
  const store = createStore(session)
  const { queue, close: closeQueue } = await openQueue({ session, store, clock, onError, onRefused: () => {} })
  const machine = new WorkflowStateMachine({
    approvals: {
      current: async () => ({
        for: () => ({ minimum_approvals: 1, required_roles: [], four_eyes: false, spares_local: true }),
      }),
    },
    store,
    queue,
    clock,
    max_running_per_workspace: undefined,
    max_reworks: 5,
    phase_execution,
    agentFor: () => 'default',
    telemetry: untold,
    highestNumber: async () => 0,
    checkModel: async () => {},
    findInRepository: async () => undefined,
    onCancellation: () => {},
  })
  const consumers: { stop(): Promise<void> }[] = []
  let closing: Promise<void> | undefined
  const close = async () => {
    for (const consumer of consumers) await consumer.stop()
    await closeQueue()
    await session.close()
  }
  const engine: Engine = {
    session,
    store,
    queue,
    machine,
    errors,
    create: (body = {}) =>
      machine.create({ workflow_type: 'specify', feature_description: DESCRIPTION, ...body }, asker('tester')),
    async get(id) {
      const workflow = await store.findWorkflow(id)
      if (workflow === undefined) throw new Error(`no workflow ${id}`)
      return workflow
    },
    async finish(claim) {
      await machine.attempts.begin(claim.attempt_id)
      await claim.settle((tx) => machine.attempts.complete(tx, claim.attempt_id, DONE))
    },
    async consume(run, concurrency = 4, concurrency_per_agent) {
      const onDead: Parameters<PhaseQueue['consume']>[1]['onDead'] = (tx, id) =>
        machine.attempts.fail(tx, id, 'lost too often', true, 'orchestrator')
      const consumer = await queue.consume(run, { concurrency, concurrency_per_agent, onDead })
      consumers.push(consumer)
      return consumer
    },
    close: () => (closing ??= close()),
  }
  onTestFinished(() => engine.close())
  return engine
}

/** A run that holds its claims until they are aborted, as an agent at work does. */
export function holding(): { claims: Claim[]; run(claim: Claim): Promise<void> } {
  const claims: Claim[] = []
  return {
    claims,
    run: async (claim) => {
      claims.push(claim)
      if (claim.signal.aborted) return
      await new Promise<void>((resolve) => claim.signal.addEventListener('abort', () => resolve(), { once: true }))
    },
  }
}
