import { systemClock } from '../services/orchestrator/src/core/clock.ts'
import { WorkflowStateMachine } from '../services/orchestrator/src/core/state-machine.ts'
import type { Asker } from '../services/orchestrator/src/core/privileges.ts'
import type { Telemetry } from '../services/orchestrator/src/core/ports.ts'
import { openQueue } from '../services/orchestrator/src/db/queue.ts'
import { openSession } from '../services/orchestrator/src/db/session.ts'
import { untold } from '../services/orchestrator/tests/untold.ts'
import { createStore } from '../services/orchestrator/src/db/store.ts'

export const BENCH: Asker = {
  name: 'bench',
  role: 'local',
  key_id: null,
  workspaces: null,
  request_id: null,
  address: null,
}

interface ProcesslessOptions {
  /** `external`: phases are run by whoever calls. */
  phase_execution?: 'hub' | 'external'
  telemetry?: Telemetry
}

/** The state machine on its real store and queue, without a server around it. */
export async function createProcessless(
  url: string,
  { phase_execution = 'external', telemetry = untold }: ProcesslessOptions = {},
) {
  const batches: number[] = []
  const session = await openSession({ url, onFatal: console.error, onBatch: (size) => batches.push(size) })
  const store = createStore(session)
  const { queue, close: closeQueue } = await openQueue({
    session,
    store,
    clock: systemClock,
    onError: console.error,
    onRefused: console.error,
  })
  const machine = new WorkflowStateMachine({
    approvals: {
      current: async () => ({
        for: () => ({ minimum_approvals: 1, required_roles: [], four_eyes: false, spares_local: true }),
      }),
    },
    store,
    queue,
    clock: systemClock,
    max_running_per_workspace: undefined,
    max_reworks: 5,
    phase_execution,
    agentFor: () => 'default',
    telemetry,
    highestNumber: async () => 0,
    checkModel: async () => {},
    findInRepository: async () => undefined,
    onCancellation: () => {},
  })
  const close = async () => {
    await closeQueue()
    await session.close()
  }
  return { machine, store, queue, session, batches, close }
}
