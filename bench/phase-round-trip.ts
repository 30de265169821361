/**
 * One workflow alone, with an agent that answers at once, in one process without HTTP: from a person's step to the next
 * review. The attempt is handed out, taken from the queue, begun and ended, in three commits on the disk.
 *
 *   node bench/phase-round-trip.ts [phases=400]
 */
import { DatabaseSync } from 'node:sqlite'

import type { AgentHub } from '../services/orchestrator/src/core/agent-hub.ts'
import { systemClock } from '../services/orchestrator/src/core/clock.ts'
import { PhaseExecutor } from '../services/orchestrator/src/core/phase-executor.ts'
import { startPostgres } from '../services/orchestrator/tests/postgres-server.ts'
import { untold } from '../services/orchestrator/tests/untold.ts'
import { BENCH, createProcessless } from './orchestrator-core.ts'
import { withFolder } from './service-process.ts'
import { median, percentile, report } from './statistics.ts'

const [count = 400] = process.argv.slice(2).map(Number)
const WARM_UP = 3000
/** That a step changes, in the median. */
const PAGES = 12

const HUB: Pick<AgentHub, 'invoke'> = { invoke: async () => ({ success: true, result: { output: 'done' } }) }

/** Milliseconds of each. */
async function roundTrips(url: string): Promise<number[]> {
  let reviewable = () => {}
  const telemetry = {
    ...untold,
    stepTaken: ({ to }: { to: string }) => {
      if (to === 'waiting_approval') reviewable()
    },
  }
  const { machine, store, queue, close } = await createProcessless(url, { phase_execution: 'hub', telemetry })
  const executor = new PhaseExecutor({
    store,
    attempts: machine.attempts,
    hub: HUB as AgentHub,
    clock: systemClock,
    random: Math.random,
    telemetry,
    findHold: async () => undefined,
    backoff: { max_tries: 1, base_ms: 1, cap_ms: 1 },
    phase_timeout_seconds: 60,
    agentFor: () => 'default',
    modelFor: () => undefined,
  })
  const consumer = await queue.consume((claim) => executor.run(claim), {
    concurrency: 4,
    concurrency_per_agent: undefined,
    onDead: async () => {
      throw new Error('an attempt was lost')
    },
  })
  const durations: number[] = []
  const timed = async (step: () => Promise<unknown>) => {
    const reviewed = new Promise<void>((resolve) => {
      reviewable = resolve
    })
    const began = performance.now()
    await step()
    await reviewed
    durations.push(performance.now() - began)
  }
  for (let done = 0; done < WARM_UP + count; done += 2) {
    let id = ''
    await timed(async () => {
      const created = await machine.create({ workflow_type: 'specify', feature_description: 'Log in' }, BENCH)
      id = created.id
    })
    await timed(() => machine.advance(id as never, { trigger: 'human_approved' }, BENCH))
    await machine.advance(id as never, { trigger: 'human_approved' }, BENCH)
  }
  await consumer.stop()
  await close()
  return durations.slice(WARM_UP)
}

/** What the disk takes for it, in milliseconds each: three commits of as many pages, without us. */
function bareCommits(path: string): number[] {
  const database = new DatabaseSync(path)
  database.exec('pragma page_size = 2048; pragma journal_mode = wal; pragma synchronous = full')
  database.exec('create table rows (text text not null)')
  const insert = database.prepare('insert into rows values (?)')
  const text = 'x'.repeat(PAGES * 2000)
  const durations = Array.from({ length: WARM_UP + count }, () => {
    const began = performance.now()
    for (let commit = 0; commit < 3; commit++) insert.run(text)
    return performance.now() - began
  })
  database.close()
  return durations.slice(WARM_UP)
}

const postgres = await startPostgres()
if (postgres.missing !== undefined) throw new Error(postgres.missing)
await withFolder(async (folder) => {
  const bare = bareCommits(`${folder}/bare.db`)
  const sqlite = await roundTrips(`sqlite:///${folder}/bench.db`)
  const shared = await roundTrips(await postgres.createDatabase())
  const held = [
    report('phase round trip on SQLite, median', median(sqlite), 'ms', { at_most: 0.7 }),
    report('phase round trip on Postgres, median', median(shared), 'ms', { at_most: 5 }),
  ]
  console.log(`three bare commits on SQLite, median: ${median(bare).toFixed(2)} ms`)
  console.log(
    `99 of 100 within ${percentile(sqlite, 0.99).toFixed(1)} ms on SQLite, ${percentile(shared, 0.99).toFixed(1)} ms on Postgres`,
  )
  process.exitCode = held.every(Boolean) ? 0 : 1
})
await postgres.stop()
