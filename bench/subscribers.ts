/**
 * Memory of the service with many idle subscribers of `/events`, and how soon one event reaches all of them.
 *
 *   node bench/subscribers.ts [subscribers=10000]
 */
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { CREATE_BODY } from './lifecycle.ts'
import { startService, usageOf, withFolder } from './service-process.ts'
import { report } from './statistics.ts'

const [count = 10_000] = process.argv.slice(2).map(Number)
const AT_ONCE = 200

await withFolder(async (folder) => {
  const env = { PORT: '0', PHASE_EXECUTION: 'external', DATABASE_URL: `sqlite:///${folder}/bench.db` }
  const service = await startService('orchestrator', { ...env, MAX_EVENT_STREAMS: String(count) })
  const { hostname, port, host } = new URL(service.url)
  const pid = service.child.pid ?? 0
  let told = 0
  let open = 0

  const subscribe = () =>
    new Promise<Socket>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () =>
        socket.write(`GET /events HTTP/1.1\r\nHost: ${host}\r\n\r\n`),
      )
      let isOpen = false
      socket.setEncoding('utf8').on('data', (text: string) => {
        if (!isOpen && text.includes('retry:')) {
          isOpen = true
          open++
          resolve(socket)
        }
        if (text.includes('event: workflow.created')) told++
      })
      socket.on('error', reject)
    })

  const sockets: Socket[] = []
  while (sockets.length < count) {
    const next = Math.min(AT_ONCE, count - sockets.length)
    sockets.push(...(await Promise.all(Array.from({ length: next }, subscribe))))
  }
  await sleep(2_000)
  const before = usageOf(pid)
  await sleep(15_000)
  const idle = usageOf(pid)
  const began = performance.now()
  const created = await fetch(`${service.url}/workflows`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: CREATE_BODY,
  })
  if (created.status !== 201) throw new Error(`create answered ${created.status}`)
  while (told < count) await sleep(5)
  const reached_ms = performance.now() - began
  console.log(`${open} subscribers; one event reached all of them after ${reached_ms.toFixed(0)} ms`)
  for (const socket of sockets) socket.destroy()
  await service.stop()
  const held = [
    report(`memory with ${count} idle subscribers`, idle.rss_mb, 'MB RSS', { at_most: 400 }),
    report('processor meanwhile, heartbeats included', ((idle.cpu_ms - before.cpu_ms) / 15_000) * 100, '% of a core', {
      at_most: 20,
    }),
  ]
  process.exitCode = held.every(Boolean) ? 0 : 1
})
