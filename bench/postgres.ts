/**
 * Full lifecycles over HTTP on Postgres with phases run outside, fsync on, 16 clients on the same
 * machine: one replica, then two.
 *
 *   node bench/postgres.ts [rounds=3] [seconds=4]
 */
import { startPostgres } from '../services/orchestrator/tests/postgres-server.ts'
import { runLifecycles, type LoadResult } from './lifecycle.ts'
import { startService, type ServiceProcess } from './service-process.ts'
import { median, percentile, report } from './statistics.ts'

const [rounds = 3, seconds = 4] = process.argv.slice(2).map(Number)
const CLIENTS = 16

const postgres = await startPostgres()
if (postgres.missing !== undefined) throw new Error(postgres.missing)
const env = { PORT: '0', PHASE_EXECUTION: 'external', DATABASE_URL: await postgres.createDatabase() }
const replicas: ServiceProcess[] = [await startService('orchestrator', env)]

async function measure(name: string): Promise<number> {
  const clients = CLIENTS / replicas.length
  const load = (s: number) => Promise.all(replicas.map(({ url }) => runLifecycles(url, { clients, seconds: s })))
  await load(2)
  const rates: number[] = []
  for (let round = 0; round < rounds; round++) {
    const results = await load(seconds)
    const all = (pick: (result: LoadResult) => number[]) => results.flatMap(pick)
    rates.push(results.reduce((sum, result) => sum + result.workflows_per_second, 0))
    const advance = all((result) => result.advance_ms)
    const create = all((result) => result.create_ms)
    console.log(
      `${name}, round ${round + 1}: ${rates.at(-1)?.toFixed(0)} workflows/s, p50 create ${median(create).toFixed(1)} ms, ` +
        `advance ${median(advance).toFixed(1)} ms, p99 advance ${percentile(advance, 0.99).toFixed(1)} ms`,
    )
  }
  return median(rates)
}

const one = await measure('one replica')
replicas.push(await startService('orchestrator', env))
const two = await measure('two replicas')
await Promise.all(replicas.map((replica) => replica.stop()))
await postgres.stop()
const held = [
  report('workflows over HTTP on Postgres, one replica, median', one, 'per second', { at_least: 200 }),
  report('workflows over HTTP on Postgres, two replicas, median', two, 'per second', { at_least: 200 }),
]
process.exitCode = held.every(Boolean) ? 0 : 1
