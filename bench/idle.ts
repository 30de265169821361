/**
 * What the two services take while nothing happens, and how soon they answer after a start.
 *
 *   node bench/idle.ts [seconds=60]
 */
import { startService, usageOf, withFolder } from './service-process.ts'
import { median, report } from './statistics.ts'

const [seconds = 60] = process.argv.slice(2).map(Number)
const STARTS = 5

await withFolder(async (folder) => {
  const token = 'a-token-for-this-run-only'
  const startBoth = async () => {
    const hub = await startService('agent-hub', {
      HUB_PORT: '0',
      HUB_DATA_DIR: folder,
      HUB_DATABASE_URL: `sqlite:///${folder}/agent-hub.db`,
      AGENT_HUB_TOKEN: token,
    })
    const orchestrator = await startService('orchestrator', {
      PORT: '0',
      DATABASE_URL: `sqlite:///${folder}/orchestrator.db`,
      AGENT_HUB_URL: hub.url,
      AGENT_HUB_TOKEN: token,
    })
    const answer = await fetch(`${orchestrator.url}/health`)
    if (!answer.ok) throw new Error(`/health answered ${answer.status}`)
    return { hub, orchestrator }
  }

  const starts: number[] = []
  for (let i = 0; i < STARTS; i++) {
    const began = performance.now()
    const { hub, orchestrator } = await startBoth()
    starts.push(performance.now() - began)
    await Promise.all([hub.stop(), orchestrator.stop()])
  }

  const { hub, orchestrator } = await startBoth()
  const pids = [hub, orchestrator].map((service) => service.child.pid ?? 0)
  await new Promise((resolve) => setTimeout(resolve, 5000))
  const before = pids.map((pid) => usageOf(pid))
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
  const after = pids.map((pid) => usageOf(pid))
  await Promise.all([hub.stop(), orchestrator.stop()])

  const rss = after.reduce((sum, usage) => sum + usage.rss_mb, 0)
  const cpu_ms = after.reduce((sum, usage, i) => sum + usage.cpu_ms - (before[i]?.cpu_ms ?? 0), 0)
  console.log(`hub ${after[0]?.rss_mb.toFixed(0)} MB, orchestrator ${after[1]?.rss_mb.toFixed(0)} MB`)
  const held = [
    report('start of both, one after the other, to the first answer, median', median(starts), 'ms', { at_most: 2000 }),
    report('memory of both, idle', rss, 'MB RSS', { at_most: 220 }),
    report('processor while idle', (cpu_ms / (seconds * 1000)) * 100, '% of a core', { at_most: 0.5 }),
  ]
  process.exitCode = held.every(Boolean) ? 0 : 1
})
