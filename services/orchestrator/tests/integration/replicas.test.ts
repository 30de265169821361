import { rm } from 'node:fs/promises'

import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'

import { gate, hang, startPlainHub, succeed, type PlainHub, type Received } from '../plain-hub.ts'
import { startPostgres } from '../postgres-server.ts'
import { clientOf, temporaryFolder } from '../service.ts'
import { startProcess, type ServiceProcess } from '../service-process.ts'

const postgres = await startPostgres()
afterAll(() => postgres.stop())

/** The engine's heartbeat of 10 s, a look each second, and what a loaded machine adds. */
const TAKEOVER_MS = 12_000 + 3_000

const title = postgres.missing === undefined ? 'two replicas' : `two replicas, skipped: ${postgres.missing}`

let folder: string
let hub: PlainHub
let replicas: Record<string, ServiceProcess>

/** Two processes on one Postgres; the agent's name tells the hub which of them asks. */
async function startTwo(): Promise<string> {
  const url = await postgres.createDatabase()
  for (const name of ['first', 'second']) {
    replicas[name] = await startProcess(folder, { DATABASE_URL: url, AGENT_HUB_URL: hub.url, AGENT_NAME: name })
  }
  return url
}

/** The invocation with this number, as soon as the hub has it. */
async function invocation(number: number, timeout = 10_000): Promise<Received> {
  await expect.poll(() => hub.received.length, { timeout, interval: 5 }).toBeGreaterThanOrEqual(number)
  return hub.received[number - 1]!
}

const other = { first: 'second', second: 'first' } as Record<string, string>

beforeEach(async () => {
  folder = await temporaryFolder()
  hub = await startPlainHub()
  replicas = {}
})
afterEach(async () => {
  await Promise.all(Object.values(replicas).map((replica) => replica.kill()))
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

describe.skipIf(postgres.missing !== undefined)(title, () => {
  it('go on with a phase whose replica was killed, under the same key', async () => {
    await startTwo()
    hub.next(hang)
    const { id } = await clientOf(replicas['first']!.url).create()
    const lost = await invocation(1)
    const began = performance.now()
    await replicas[lost.agent]!.kill()

    const taken = await invocation(2, TAKEOVER_MS)
    expect(performance.now() - began).toBeLessThan(TAKEOVER_MS)
    expect([taken.agent, taken.key]).toEqual([other[lost.agent], lost.key])
    const survivor = clientOf(replicas[taken.agent]!.url)
    const workflow = await survivor.until(id, 'waiting_approval')
    expect(workflow.attempt).toMatchObject({ id: lost.key, number: 1, tries: 2 })
    expect((await survivor.history(id)).map((row) => row.trigger)).toEqual(['start', 'agent_complete'])
    expect(hub.received).toHaveLength(2)
  })

  it('hand a phase over at once when one is asked to end', async () => {
    await startTwo()
    hub.next(hang)
    const { id } = await clientOf(replicas['second']!.url).create()
    const given = await invocation(1)
    const began = performance.now()
    const stopped = replicas[given.agent]!.stop()
    const taken = await invocation(2)
    expect(performance.now() - began).toBeLessThan(2_000)
    expect([taken.agent, taken.key]).toEqual([other[given.agent], given.key])
    expect((await stopped).code).toBe(0)
    await clientOf(replicas[taken.agent]!.url).until(id, 'waiting_approval')
  })

  it('refuse the outcome of one that was frozen until another had taken over', async () => {
    const url = await startTwo()
    const late = gate(succeed({ output: 'late' }))
    hub.next(late.behaviour)
    const { id } = await clientOf(replicas['first']!.url).create()
    const frozen = await invocation(1)
    replicas[frozen.agent]!.pause()
    const living = clientOf(replicas[other[frozen.agent]!]!.url)
    await invocation(2, TAKEOVER_MS)
    const settled = await living.until(id, 'waiting_approval')

    late.open()
    replicas[frozen.agent]!.resume()
    // It is back at work, and its late outcome has had its chance, when it runs something new.
    await replicas[other[frozen.agent]!]!.stop()
    const next = await clientOf(replicas[frozen.agent]!.url).create()
    await clientOf(replicas[frozen.agent]!.url).until(next.id, 'waiting_approval')
    const awake = clientOf(replicas[frozen.agent]!.url)
    expect(await awake.get(id)).toEqual(settled)
    expect((await awake.history(id)).map((row) => row.trigger)).toEqual(['start', 'agent_complete'])
    const open = await postgres.query(url, "select id from pgboss.job where state < 'completed'")
    expect(open).toEqual([])
  })

  it('answer and stream alike: what one commits, the other tells', async () => {
    await startTwo()
    const [first, second] = [clientOf(replicas['first']!.url), clientOf(replicas['second']!.url)]
    const { id } = await first.create()
    await second.until(id, 'waiting_approval')
    expect((await second.advance(id, 'human_approved')).status).toBe(200)
    await first.until(id, 'waiting_approval')
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => [first, second][index % 2]!.advance(id, 'human_approved')),
    )
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([200, ...Array(19).fill(400)])
    expect(await first.get(id)).toEqual(await second.get(id))
    expect((await first.get(id)).status).toBe('completed')
  })
})
