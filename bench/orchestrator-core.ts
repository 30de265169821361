import { systemClock } from '../services/orchestrator/src/core/clock.ts'
import { WorkflowStateMachine } from '../services/orchestrator/src/core/state-machine.ts'
import { EmbeddedQueue } from '../services/orchestrator/src/db/embedded-queue.ts'
import { openSession } from '../services/orchestrator/src/db/session.ts'
import { untold } from '../services/orchestrator/tests/untold.ts'
import { createStore } from '../services/orchestrator/src/db/store.ts'

/** The state machine on its real store, without a server around it; phases are run by whoever calls. */
export async function createProcessless(url: string) {
  const batches: number[] = []
  const session = await openSession({ url, onFatal: console.error, onBatch: (size) => batches.push(size) })
  const store = createStore(session)
  const queue = new EmbeddedQueue({ session, store, clock: systemClock, onError: console.error })
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
    phase_execution: 'external',
    agentFor: () => 'default',
    telemetry: untold,
    highestNumber: async () => 0,
    checkModel: async () => {},
    findInRepository: async () => undefined,
    onCancellation: () => {},
  })
  return { machine, store, session, batches, close: () => session.close() }
}
