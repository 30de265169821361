/**
 * Full lifecycles in one process without HTTP, everything on (history, events, fsync before every answer).
 *
 *   node bench/in-process.ts [workflows=2000] [concurrency=64]
 */
import { statSync } from 'node:fs'

import { BENCH, createProcessless } from './orchestrator-core.ts'
import { withFolder } from './service-process.ts'
import { report } from './statistics.ts'

const [count = 2000, concurrency = 64] = process.argv.slice(2).map(Number)

await withFolder(async (folder) => {
  const { machine, batches, close } = await createProcessless(`sqlite:///${folder}/bench.db`)
  const lifecycle = async () => {
    const { id } = await machine.create(
      {
        workflow_type: 'specify',
        feature_description: 'Add user authentication with OAuth2',
        context: { priority: 'P1' },
      },
      BENCH,
    )
    for (const trigger of ['agent_complete', 'human_approved', 'agent_complete', 'human_approved'] as const) {
      await machine.advance(id, { trigger, phase_result: { output: 'done' } }, BENCH)
    }
  }
  const run = async (n: number) => {
    let left = n
    const client = async () => {
      while (left-- > 0) await lifecycle()
    }
    await Promise.all(Array.from({ length: concurrency }, client))
  }
  await run(200)
  batches.length = 0
  const cpu = process.cpuUsage()
  const began = performance.now()
  await run(count)
  const rate = (count * 1000) / (performance.now() - began)
  console.log(
    `${batches.length} commits of ${(batches.reduce((sum, size) => sum + size, 0) / batches.length).toFixed(1)} transactions`,
  )
  const { user, system } = process.cpuUsage(cpu)
  console.log(`${((user + system) / 1000 / count).toFixed(3)} ms of CPU per workflow`)
  await close()
  const kilobytes = statSync(`${folder}/bench.db`).size / 1000 / (count + 200)
  console.log(`${kilobytes.toFixed(1)} KB of the file per completed workflow`)
  process.exitCode = report('workflows in one process', rate, 'per second', { at_least: 2000 }) ? 0 : 1
})
