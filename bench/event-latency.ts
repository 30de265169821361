/**
 * From the agent's answer to the new state on the event stream, one workflow after the other.
 *
 *   node bench/event-latency.ts [workflows=300]
 */
import { createClient } from '@orchestrator/client'

import { startWithInstantHub } from './instant-hub.ts'
import { withFolder } from './service-process.ts'
import { median, percentile, report } from './statistics.ts'

const [count = 300] = process.argv.slice(2).map(Number)

await withFolder(async (folder) => {
  const service = await startWithInstantHub(folder)
  const client = createClient({ base_url: service.url })
  const stopping = new AbortController()
  const latencies: number[] = []
  let arrived = () => {}
  const listening = (async () => {
    for await (const event of client.streamEvents({ after: 0, signal: stopping.signal })) {
      if (event.type !== 'workflow.transition' || event.data.trigger !== 'agent_complete') continue
      latencies.push(performance.now() - (service.answered.get(event.workflow_id) ?? Number.NaN))
      arrived()
    }
  })()
  for (let i = 0; i < count; i++) {
    const next = new Promise<void>((resolve) => (arrived = resolve))
    await client.createWorkflow({
      workflow_type: 'specify',
      feature_description: `Feature number ${i} of the benchmark`,
    })
    await next
  }
  stopping.abort()
  await listening.catch(() => {})
  await service.stop()
  const warm = latencies.slice(20)
  console.log(`${warm.length} answers, p50 ${median(warm).toFixed(2)} ms`)
  process.exitCode = report('answer to event, p99', percentile(warm, 0.99), 'ms', { at_most: 20 }) ? 0 : 1
})
