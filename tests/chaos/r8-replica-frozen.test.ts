import { rm } from 'node:fs/promises'

import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'

import { startPlainHub, succeed, type PlainHub } from '../../services/orchestrator/tests/plain-hub.ts'
import { startPostgres } from '../../services/orchestrator/tests/postgres-server.ts'
import { clientOf, temporaryFolder } from '../../services/orchestrator/tests/service.ts'
import { startProcess, type ServiceProcess } from '../../services/orchestrator/tests/service-process.ts'
import { scale, tell } from './scale.ts'

const postgres = await startPostgres()
afterAll(() => postgres.stop())

const ROUNDS = scale(1, 10)
const PHASES = 20

let folder: string
let hub: PlainHub
let replicas: ServiceProcess[]

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

/** One replica frozen with all phases until another has ended them, then woken to answers that come too late. */
async function freeze(): Promise<number> {
  const url = await postgres.createDatabase()
  const env = { DATABASE_URL: url, AGENT_HUB_URL: hub.url, MAX_CONCURRENT_PHASES: String(PHASES) }
  const first = await startProcess(folder, { ...env, AGENT_NAME: 'frozen' })
  replicas.push(first)
  const late = Promise.withResolvers<void>()
  let delivered = 0
  hub.next(
    ...Array.from({ length: PHASES }, (): PlainHub['usual'] => async (received, response) => {
      await late.promise
      response.on('finish', () => delivered++)
      await succeed({ output: 'too late' })(received, response)
    }),
  )
  const before = hub.received.length
  const workflows = []
  for (let phase = 0; phase < PHASES; phase++) workflows.push(await clientOf(first.url).create())
  await expect.poll(() => hub.received.length, { timeout: 30_000 }).toBe(before + PHASES)
  const second = await startProcess(folder, { ...env, AGENT_NAME: 'awake' })
  replicas.push(second)
  const awake = clientOf(second.url)

  first.pause()
  const untilTaken = async ({ id }: { id: string }) => {
    await expect.poll(async () => (await awake.get(id)).status, { timeout: 60_000 }).toBe('waiting_approval')
    return awake.get(id)
  }
  const settled = await Promise.all(workflows.map(untilTaken))
  late.resolve()
  await expect.poll(() => delivered).toBe(PHASES)
  first.resume()

  // It has met its late answers when it is at work again: with the other one gone, it runs something new.
  await second.stop()
  const woken = clientOf(first.url)
  const next = await woken.create()
  await expect.poll(async () => (await woken.get(next.id)).status, { timeout: 60_000 }).toBe('waiting_approval')
  const stored = await Promise.all(settled.map(({ id }) => woken.get(id)))
  expect(stored).toEqual(settled)
  for (const { id } of settled)
    expect((await woken.history(id)).map(({ trigger, actor }) => [trigger, actor])).toEqual([
      ['start', 'orchestrator'],
      ['agent_complete', 'agent:awake'],
    ])
  expect(await postgres.query(url, "select id from pgboss.job where state < 'completed'")).toEqual([])
  await first.stop()
  return delivered
}

const title = postgres.missing === undefined ? 'a replica that was frozen' : `a replica, skipped: ${postgres.missing}`

describe.skipIf(postgres.missing !== undefined)(title, () => {
  it('until another took over finds its late outcomes refused when it wakes', async () => {
    let late = 0
    for (let round = 0; round < ROUNDS; round++) late += await freeze()
    tell('R8', { 'late outcomes': late, accepted: 0 })
    expect(late).toBe(ROUNDS * PHASES)
  })
})
