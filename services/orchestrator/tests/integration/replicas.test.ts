import { rm } from 'node:fs/promises'

import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'

import { readEvents, type EventReader } from '../event-reader.ts'
import { startPlainHub, type PlainHub } from '../plain-hub.ts'
import { startPostgres } from '../postgres-server.ts'
import { clientOf, temporaryFolder, type Client } from '../service.ts'
import { startProcess, type ServiceProcess } from '../service-process.ts'

const postgres = await startPostgres()
afterAll(() => postgres.stop())

const title = postgres.missing === undefined ? 'two replicas' : `two replicas, skipped: ${postgres.missing}`

let folder: string
let hub: PlainHub
let replicas: ServiceProcess[]

/** A replica that heard nothing looks by itself so often, as postgres-signals.ts has it. */
const HEARTBEAT_MS = 5_000

/** Two processes on one Postgres; what becomes of their phases when one ends is tested in tests/chaos. */
async function startTwo(env: Record<string, string>): Promise<[Client, Client]> {
  const url = await postgres.createDatabase()
  const start = async () => {
    const replica = await startProcess(folder, { DATABASE_URL: url, ...env })
    replicas.push(replica)
    return clientOf(replica.url)
  }
  return [await start(), await start()]
}

const transitionsIn = ({ events }: EventReader) =>
  events.flatMap((event) => (event.type === 'workflow.transition' ? [event.data] : []))
const sequencesIn = ({ events }: EventReader) => events.map(({ sequence }) => sequence)

beforeEach(async () => {
  folder = await temporaryFolder()
  hub = await startPlainHub()
  replicas = []
})
afterEach(async () => {
  await Promise.all(replicas.map((replica) => replica.kill()))
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

describe.skipIf(postgres.missing !== undefined)(title, () => {
  it('answer and stream alike: what one commits, the other tells', async () => {
    const [first, second] = await startTwo({ AGENT_HUB_URL: hub.url })
    const streams = await Promise.all([first, second].map(({ url }) => readEvents(`${url}/events?after=0`)))
    const { id } = await first.create()
    const one = await readEvents(`${second.url}/workflows/${id}/events`)
    await second.until(id, 'waiting_approval')
    expect((await second.advance(id, 'human_approved')).status).toBe(200)
    await first.until(id, 'waiting_approval')
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, index) => [first, second][index % 2]!.advance(id, 'human_approved')),
    )
    expect(answers.map((answer) => answer.status).toSorted((a, b) => a - b)).toEqual([200, ...Array(19).fill(400)])
    expect(await first.get(id)).toEqual(await second.get(id))
    expect((await first.get(id)).status).toBe('completed')

    const history = await first.history(id)
    const last = history.at(-1)?.sequence
    for (const stream of [...streams, one]) await expect.poll(() => sequencesIn(stream).at(-1)).toBe(last)
    // The history says more of each.
    expect(history).toMatchObject(transitionsIn(one))
    // There is no other workflow.
    for (const stream of streams) expect(stream.events).toEqual(one.events)
    await Promise.all([...streams, one].map((stream) => stream.leave()))
  })

  it('tell at once what the other commits, not at their next look', async () => {
    const [first, second] = await startTwo({ PHASE_EXECUTION: 'external' })
    const { id } = await first.create()
    const streams = [
      await readEvents(`${second.url}/events?after=0`),
      await readEvents(`${second.url}/workflows/${id}/events`),
    ]
    const began = performance.now()
    for (let step = 0; step < 6; step++) {
      const { status, body } = await first.advance(id, ['agent_complete', 'human_rejected'][step % 2]!)
      expect([status, body.current_phase]).toEqual([200, 'phase_1'])
      const { sequence } = (await first.history(id)).at(-1)!
      for (const stream of streams) await expect.poll(() => sequencesIn(stream)).toContain(sequence)
    }
    // Each of them would wait for one look.
    expect(performance.now() - began).toBeLessThan(4 * HEARTBEAT_MS)
    for (const stream of streams) {
      expect(transitionsIn(stream)).toHaveLength(7)
      await stream.leave()
    }
  })
})
