import { startPostgres } from './postgres-server.ts'
import { openSession } from '../src/db/session.ts'
import { createStore } from '../src/db/store.ts'
import { openQueue } from '../src/db/queue.ts'
import { systemClock } from '../src/core/clock.ts'
import { WorkflowStateMachine } from '../src/core/state-machine.ts'
let t = performance.now()
const lap = (s: string) => { console.log(s, Math.round(performance.now() - t)); t = performance.now() }
const server = await startPostgres()
lap('server ' + server.missing)
const url = await server.createDatabase()
lap('db')
const session = await openSession({ url, onFatal: console.error, onError: console.error })
lap('session')
const store = createStore(session)
const { queue, close } = await openQueue({ session, store, clock: systemClock, onError: console.error })
lap('queue')
const machine = new WorkflowStateMachine({ store, queue, clock: systemClock, max_reworks: 5, phase_execution: 'hub', highestNumber: async () => 0, onCancellation: () => {} })
store.onEvents(() => void store.lastSequence().then((l) => console.log('events', l)))
const w = await machine.create({ workflow_type: 'specify', feature_description: 'Add user authentication' }, 'x')
lap('create')
console.log(w)
const c = await queue.consume(async (claim) => {
  const work = await machine.begin(claim.attempt_id)
  lap('begun')
  await claim.settle((tx) => machine.complete(tx, claim.attempt_id, { digest: null, output: 'x', confidence: 1, session_id: null, uncertainty_reasons: [], checks: [], usage: null, artifacts: [], threads: [], result: {} } as never, 'agent'))
  lap('settled')
}, { concurrency: 4, onDead: async () => {} })
await new Promise((r) => setTimeout(r, 1500))
console.log(await store.findWorkflow(w.id), await store.listEvents({ after: 0, limit: 100 }))
for (let i = 0; i < 5; i++) { await machine.create({ workflow_type: 'specify', feature_description: 'Add user authentication' }, 'x'); lap('create') 
await new Promise((r) => setTimeout(r, 200)) }
t = performance.now()
await c.stop(); lap('stop')
await close(); lap('close')
await session.close(); lap('session close')
await server.stop(); lap('server stop')
