/**
 * What workflows that wait for a review cost: memory of the service and time of its start, with none and with many.
 *
 *   node bench/waiting.ts [workflows=1000000]
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { CREATE_BODY, advanceBody } from './lifecycle.ts'
import { copyWorkflow } from './many-workflows.ts'
import { startService, usageOf, withFolder } from './service-process.ts'
import { median, report } from './statistics.ts'

const [count = 1_000_000] = process.argv.slice(2).map(Number)
const STARTS = 3
/** By then what a start looks through beside the work is done, or goes on at its own slow pace. */
const SETTLED_MS = 20_000

await withFolder(async (folder) => {
  const env = { PORT: '0', PHASE_EXECUTION: 'external', DATABASE_URL: `sqlite:///${folder}/bench.db` }
  const post = async (url: string, body: string) => {
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    return (await answer.json()) as { id: string; status: string }
  }
  const service = await startService('orchestrator', env)
  const { id } = await post(`${service.url}/workflows`, CREATE_BODY)
  const { status } = await post(`${service.url}/workflows/${id}/advance`, advanceBody('agent_complete'))
  if (status !== 'waiting_approval') throw new Error(`the pattern ended as ${status}`)
  await service.stop()

  const measure = async () => {
    const starts: number[] = []
    const sizes: number[] = []
    for (let start = 0; start < STARTS; start++) {
      const one = await startService('orchestrator', env)
      starts.push(one.start_ms)
      const answer = await fetch(`${one.url}/workflows?status=waiting_approval&limit=20`)
      if (!answer.ok) throw new Error(`the list answered ${answer.status}`)
      await fetch(`${one.url}/health`)
      await sleep(SETTLED_MS)
      sizes.push(usageOf(one.child.pid ?? 0).rss_mb)
      await one.stop()
    }
    return { start_ms: median(starts), rss_mb: median(sizes) }
  }
  const empty = await measure()
  copyWorkflow(`${folder}/bench.db`, count)
  const full = await measure()
  console.log(
    `start ${empty.start_ms.toFixed(0)} → ${full.start_ms.toFixed(0)} ms, memory ${empty.rss_mb.toFixed(0)} → ${full.rss_mb.toFixed(0)} MB`,
  )
  const held = [
    report(`memory of ${count} waiting workflows`, full.rss_mb - empty.rss_mb, 'MB RSS', { at_most: 5 }),
    report('start with them', full.start_ms, 'ms', { at_most: 2_000 }),
  ]
  process.exitCode = held.every(Boolean) ? 0 : 1
})
