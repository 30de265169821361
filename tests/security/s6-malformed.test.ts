import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { setTimeout } from 'node:timers/promises'

import * as fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'

import { figure } from './counts.ts'
import { malformedRequests, type Malformed } from './malformed.ts'
import { SERVICE_PROCESSES, type EitherProcess } from './both-services.ts'

const REQUESTS = figure(800, 50_000)
const AT_ONCE = 24
/** Whole, memory is measured; in a short run the heap is still finding its size. */
const GROWTH_MIB_MAX = figure(150, 20)
const PATIENCE_MS = 3_000

let service: EitherProcess
afterEach(() => service.close())

/** Sends these bytes, says that nothing more comes, and reads to the end. Answers every status line. */
function send(url: string, bytes: Malformed): Promise<number[]> {
  const { hostname, port } = new URL(url)
  return new Promise((done) => {
    let text = ''
    const socket = connect(Number(port), hostname, () => socket.end(bytes))
    socket.setEncoding('latin1').on('data', (chunk: string) => (text = (text + chunk).slice(0, 100_000)))
    // A stream that was opened by accident does not end by itself.
    socket.setTimeout(PATIENCE_MS, () => socket.destroy())
    socket.on('error', () => {})
    socket.on('close', () =>
      done([...text.matchAll(/(?:^|\r\n)HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))),
    )
  })
}

async function residentMib(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1024
}

describe.each(SERVICE_PROCESSES)('%s', (_name, start) => {
  it(
    'survives requests that are none: no answer of 5xx, no exit, no memory lost',
    async () => {
      service = await start()
      const paths = Object.keys(service.document.paths)
        .filter((path) => !path.endsWith('/events'))
        .map((path) => path.replaceAll(/\{\w+\}/g, '00000000-0000-4000-8000-000000000000'))
      const arbitrary = malformedRequests(`127.0.0.1:${service.port}`, paths)
      const statuses = new Map<number, number>()
      const failures: string[] = []

      const run = async (count: number, seed: number) => {
        for (let sent = 0; sent < count; sent += 1_000) {
          const queue = fc.sample(arbitrary, { numRuns: Math.min(1_000, count - sent), seed: seed + sent })
          const worker = async () => {
            for (let bytes = queue.pop(); bytes !== undefined; bytes = queue.pop()) {
              for (const status of await send(service.url, bytes)) {
                statuses.set(status, (statuses.get(status) ?? 0) + 1)
                if (status >= 500) failures.push(`${status}: ${bytes.toString('latin1', 0, 300)}`)
              }
            }
          }
          await Promise.all(Array.from({ length: AT_ONCE }, worker))
        }
      }

      // The same requests once before, so that what is measured is what goes on growing.
      await run(REQUESTS / 5, 1)
      await setTimeout(1_000)
      const before = await residentMib(service.pid)
      await run(REQUESTS, 100_000)
      await setTimeout(1_000)
      const after = await residentMib(service.pid)

      console.log(
        `${REQUESTS} malformed requests: ${before.toFixed(0)} to ${after.toFixed(0)} MiB`,
        Object.fromEntries(statuses),
      )
      expect(failures.slice(0, 10)).toEqual([])
      expect(statuses.get(400) ?? 0).toBeGreaterThan(REQUESTS / 20)
      expect((await fetch(`${service.url}/health`)).status).toBe(200)
      expect(after - before).toBeLessThan(GROWTH_MIB_MAX)
    },
    figure(240_000, 1_200_000),
  )
})
