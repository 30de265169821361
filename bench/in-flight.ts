/**
 * Many phases at work at once against a hub that answers later: memory, and how long a read takes meanwhile;
 * then kill -9 and a start, until all of them are followed again.
 *
 *   node bench/in-flight.ts [phases=5000]
 *   node bench/in-flight.ts 10000      # the crash of the scoreboard
 */
import { setTimeout as sleep } from 'node:timers/promises'

import { startAsyncHub } from './async-hub.ts'
import { KeepAliveClient } from './keep-alive-client.ts'
import { CREATE_BODY } from './lifecycle.ts'
import { startService, usageOf, withFolder } from './service-process.ts'
import { percentile, report } from './statistics.ts'

const [count = 5_000] = process.argv.slice(2).map(Number)
const READS = 2_000

await withFolder(async (folder) => {
  const hub = await startAsyncHub()
  const env = {
    PORT: '0',
    AGENT_HUB_URL: hub.url,
    DATABASE_URL: `sqlite:///${folder}/bench.db`,
    MAX_CONCURRENT_PHASES: String(count),
    LOG_LEVEL: 'warn',
  }
  const first = await startService('orchestrator', { ...env, LOG_LEVEL: 'info' })
  const ids: string[] = []
  const create = async () => {
    const client = await KeepAliveClient.open(first.url)
    while (ids.length < count) {
      const place = ids.push('') - 1
      const { body } = await client.post('/workflows', CREATE_BODY)
      ids[place] = (JSON.parse(body) as { id: string }).id
    }
    client.close()
  }
  await Promise.all(Array.from({ length: 16 }, create))
  while (hub.open() < count) await sleep(20)
  await sleep(1_000)
  const { rss_mb } = usageOf(first.child.pid ?? 0)
  const reads: number[] = []
  const read = async () => {
    const client = await KeepAliveClient.open(first.url)
    while (reads.length < READS) {
      const began = performance.now()
      const { status } = await client.get(`/workflows/${ids[reads.length % count]}`)
      if (status !== 200) throw new Error(`a read answered ${status}`)
      reads.push(performance.now() - began)
    }
    client.close()
  }
  await Promise.all(Array.from({ length: 4 }, read))

  first.child.kill('SIGKILL')
  while (hub.open() > 0) await sleep(5)
  const began = performance.now()
  const second = await startService('orchestrator', { ...env, LOG_LEVEL: 'info' })
  while (hub.open() < count) await sleep(5)
  const recovered_s = (performance.now() - began) / 1000
  console.log(
    `start ${(second.start_ms / 1000).toFixed(2)} s, all ${count} followed again after ${recovered_s.toFixed(2)} s`,
  )
  const asked_for = [...hub.keys.values()]
  if (asked_for.length !== count) throw new Error(`the hub saw ${asked_for.length} keys for ${count} phases`)
  await second.stop()
  await hub.close()
  const held = [
    report(`memory with ${count} phases at work`, rss_mb, 'MB RSS', { at_most: 0.08 * count }),
    report('GET meanwhile, p99', percentile(reads, 0.99), 'ms', { at_most: 20 }),
    report('all going again after kill -9 and a start', recovered_s, 's', { at_most: 5 }),
  ]
  process.exitCode = held.every(Boolean) ? 0 : 1
})
