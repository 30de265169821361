/**
 * Full lifecycles over HTTP with phases run outside, fsync before every answer, 16 clients on the same
 * machine; beside it, interleaved in the same run, a bare Fastify that only parses and validates.
 *
 *   node bench/http.ts [rounds=5] [seconds=4]
 */
import { runLifecycles } from './lifecycle.ts'
import { startBare, startService, withFolder } from './service-process.ts'
import { median, percentile, report } from './statistics.ts'

const [rounds = 5, seconds = 4] = process.argv.slice(2).map(Number)
const CLIENTS = 16

await withFolder(async (folder) => {
  const ours = await startService('orchestrator', {
    PORT: '0',
    PHASE_EXECUTION: 'external',
    DATABASE_URL: `sqlite:///${folder}/bench.db`,
  })
  const bare = await startBare()
  const rates: number[] = []
  const references: number[] = []
  const create: number[] = []
  const advance: number[] = []
  for (const url of [ours.url, bare.url]) await runLifecycles(url, { clients: CLIENTS, seconds: 2 })
  for (let round = 0; round < rounds; round++) {
    const reference = await runLifecycles(bare.url, { clients: CLIENTS, seconds })
    const result = await runLifecycles(ours.url, { clients: CLIENTS, seconds })
    rates.push(result.workflows_per_second)
    references.push(reference.workflows_per_second)
    create.push(median(result.create_ms))
    advance.push(median(result.advance_ms))
    console.log(
      `round ${round + 1}: ${result.workflows_per_second.toFixed(0)} workflows/s, bare ${reference.workflows_per_second.toFixed(0)}/s, ` +
        `p50 create ${median(result.create_ms).toFixed(2)} ms, advance ${median(result.advance_ms).toFixed(2)} ms, ` +
        `p99 advance ${percentile(result.advance_ms, 0.99).toFixed(2)} ms`,
    )
  }
  await Promise.all([ours.stop(), bare.stop()])
  const held = [
    report('workflows over HTTP, median', median(rates), 'per second', { at_least: 1000 }),
    report(
      'of bare Fastify, median of rounds',
      median(rates.map((rate, i) => rate / (references[i] ?? 1))) * 100,
      '%',
      { at_least: 45 },
    ),
    report('create, p50', median(create), 'ms', { at_most: 3 }),
    report('advance, p50', median(advance), 'ms', { at_most: 3 }),
  ]
  process.exitCode = held.every(Boolean) ? 0 : 1
})
