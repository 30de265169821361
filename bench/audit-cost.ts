/**
 * What authentication and the audit cost: full lifecycles over HTTP, 16 clients, fsync before every answer. On:
 * every request with a key, every step linked, checkpoints signed. Off: loopback without a key, and a service
 * whose links and checkpoints were taken out (without-audit.ts). All else is the same, rows and columns too.
 * Interleaved, each first in every other round; CPU is the service's own. Told is the better quarter of each.
 *
 *   node bench/audit-cost.ts [rounds=30] [seconds=1]
 */
import { join } from 'node:path'

import { runLifecycles } from './lifecycle.ts'
import { startService, usageOf, withFolder, type ServiceProcess } from './service-process.ts'
import { percentile, report } from './statistics.ts'

const [rounds = 30, seconds = 1] = process.argv.slice(2).map(Number)
const CLIENTS = 16
const REQUESTS = 5

interface Side {
  service: ServiceProcess
  key?: string
  per_second: number[]
  cpu_us: number[]
}

async function makeKey(url: string): Promise<string> {
  const made = await fetch(`${url}/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench', role: 'admin' }),
  })
  const { key } = (await made.json()) as { key: string }
  const opened = await fetch(`${url}/session`, { headers: { authorization: `Bearer ${key}` } })
  const { name } = (await opened.json()) as { name: string }
  if (name !== 'bench') throw new Error(`the key names ${name}`)
  return key
}

async function measure(side: Side): Promise<void> {
  const pid = side.service.child.pid ?? 0
  const before = usageOf(pid).cpu_ms
  const { workflows, workflows_per_second } = await runLifecycles(side.service.url, {
    clients: CLIENTS,
    seconds,
    ...(side.key !== undefined && { key: side.key }),
  })
  side.per_second.push(workflows_per_second)
  side.cpu_us.push(((usageOf(pid).cpu_ms - before) * 1000) / (workflows * REQUESTS))
}

/** Of the better rounds of each: what the machine does beside only ever makes one worse. */
const share = (on: number, off: number) => (on / off - 1) * 100
const fast = (side: Side) => percentile(side.per_second, 0.75)
const cheap = (side: Side) => percentile(side.cpu_us, 0.25)

await withFolder(async (folder) => {
  const start = (name: string, flags: string[] = []) =>
    startService(
      'orchestrator',
      {
        PORT: '0',
        PHASE_EXECUTION: 'external',
        DATABASE_URL: `sqlite:///${folder}/${name}.db`,
        REQUESTS_PER_MINUTE: '1000000',
        FOUR_EYES: 'off',
      },
      flags,
    )
  const [with_both, without] = await Promise.all([
    start('on'),
    start('off', ['--import', join(import.meta.dirname, 'without-audit.ts')]),
  ])
  const on: Side = { service: with_both, key: await makeKey(with_both.url), per_second: [], cpu_us: [] }
  const off: Side = { service: without, per_second: [], cpu_us: [] }
  for (let round = 0; round <= rounds; round++) {
    for (const side of round % 2 === 0 ? [off, on] : [on, off]) await measure(side)
    const told = ({ per_second, cpu_us }: Side) =>
      `${per_second.at(-1)?.toFixed(0)} workflows/s, ${cpu_us.at(-1)?.toFixed(0)} µs of CPU a request`
    console.log(`round ${round}: off ${told(off)}; on ${told(on)}`)
    // The first one warms both up.
    if (round > 0) continue
    for (const figures of [on.per_second, on.cpu_us, off.per_second, off.cpu_us]) figures.length = 0
  }
  await Promise.all([with_both.stop(), without.stop()])
  console.log(`off ${cheap(off).toFixed(0)}, on ${cheap(on).toFixed(0)} µs of CPU a request`)
  const held = [
    report('throughput that both cost', -share(fast(on), fast(off)), '%', { at_most: 10 }),
    report('CPU that both cost', share(cheap(on), cheap(off)), '%', { at_most: 10 }),
  ]
  process.exitCode = held.every(Boolean) ? 0 : 1
})
