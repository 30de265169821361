import { rm } from 'node:fs/promises'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { startPlainHub, type PlainHub } from '../../services/orchestrator/tests/plain-hub.ts'
import { clientOf, temporaryFolder } from '../../services/orchestrator/tests/service.ts'
import { startProcess, type ServiceProcess } from '../../services/orchestrator/tests/service-process.ts'
import { audit, KEPT, rowsOfFile } from './audit.ts'
import { startLoad } from './load.ts'
import { limit, scale, tell } from './scale.ts'
import { mountSmallDisk, smallDiskMissing, type SmallDisk } from './small-disk.ts'

const ROUNDS = scale(2, 30)
/** In `npm test` with what a loaded machine adds. */
const RECOVERY_MS = limit(5_000 + 20_000, 5_000)

let folder: string
let disk: SmallDisk
let hub: PlainHub
let service: ServiceProcess | undefined

beforeEach(async () => {
  folder = await temporaryFolder()
  hub = await startPlainHub()
})
afterEach(async () => {
  await service?.kill()
  await hub.close()
  disk.unmount()
  await rm(folder, { recursive: true, force: true })
})

const title = smallDiskMissing === undefined ? 'a full disk' : `a full disk, skipped: ${smallDiskMissing}`

describe.skipIf(smallDiskMissing !== undefined)(title, () => {
  it('refuses writes with 507, answers reads, and is forgotten as soon as there is room, without a restart', async () => {
    disk = mountSmallDisk(`${folder}/disk`, 48)
    const env = { DATABASE_URL: `sqlite:///${folder}/disk/orchestrator.db`, PHASE_EXECUTION: 'external' }
    const running = await startProcess(folder, env)
    service = running
    const client = clientOf(running.url)
    const first = await client.create()
    const load = startLoad({ url: () => running.url, clients: 4 })
    const recovered_ms: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      await load.more(20)
      const refused = load.ledger.refused.get(507) ?? 0
      disk.fill()
      await expect.poll(() => load.ledger.refused.get(507) ?? 0, { timeout: 30_000 }).toBeGreaterThan(refused + 8)
      expect(await client.get(first.id)).toEqual(first)
      expect((await client.request('GET', '/workflows')).status).toBe(200)
      expect((await client.request('GET', '/health')).status).toBe(200)
      disk.relieve()
      const began = performance.now()
      await load.more(4)
      recovered_ms.push(performance.now() - began)
    }
    await load.stop()
    const { code } = await running.stop()
    load.ledger.triggers.set(first.id, [])
    const found = await audit(load.ledger, rowsOfFile(`${folder}/disk/orchestrator.db`))
    const slowest = Math.max(...recovered_ms)
    tell('R4', {
      rounds: ROUNDS,
      acknowledged: load.ledger.acknowledged,
      'answers 507': load.ledger.refused.get(507) ?? 0,
      'recovered after at most ms': slowest,
    })
    expect({ ...found, unexpected: load.ledger.unexpected, code }).toEqual({ ...KEPT, unexpected: [], code: 0 })
    expect([...load.ledger.refused.keys()]).toEqual([507])
    expect(slowest).toBeLessThan(RECOVERY_MS)
  })

  it('holds up phases that cannot be stored, and they go on when there is room', async () => {
    disk = mountSmallDisk(`${folder}/disk`, 48)
    const env = { DATABASE_URL: `sqlite:///${folder}/disk/orchestrator.db`, AGENT_HUB_URL: hub.url }
    const running = await startProcess(folder, env)
    service = running
    const client = clientOf(running.url)
    const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>())
    const usual = hub.usual
    hub.next(
      ...gates.map((gate): typeof usual => async (received, response) => {
        await gate.promise
        await usual(received, response)
      }),
    )
    const workflows = await Promise.all(gates.map(() => client.create()))
    await expect.poll(() => hub.received.length).toBe(4)
    disk.fill()
    for (const gate of gates) gate.resolve()
    await expect.poll(() => running.output(), { timeout: 40_000 }).toContain('background work failed')
    disk.relieve()
    for (const { id } of workflows) await client.until(id, 'waiting_approval')
    const histories = await Promise.all(workflows.map(({ id }) => client.history(id)))
    expect(histories.map((rows) => rows.map(({ trigger }) => trigger))).toEqual(
      workflows.map(() => ['start', 'agent_complete']),
    )
    expect((await running.stop()).code).toBe(0)
  })
})
