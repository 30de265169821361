import { rm } from 'node:fs/promises'

import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'

import { startPlainHub, succeed, type PlainHub } from '../../services/orchestrator/tests/plain-hub.ts'
import { startPostgres } from '../../services/orchestrator/tests/postgres-server.ts'
import { clientOf, temporaryFolder } from '../../services/orchestrator/tests/service.ts'
import { startProcess, type ServiceProcess } from '../../services/orchestrator/tests/service-process.ts'
import { scale, tell } from './scale.ts'

const postgres = await startPostgres()
afterAll(() => postgres.stop())

const ROUNDS = scale(1, 10)
const PHASES = 20
const TOO_LATE = 'too late'
/** What the log says of each that was tried, and of every phase that ended. */
const REFUSED = 'a late outcome was refused'
const ENDED = '"phase ended"'

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

const lineSchema = z.looseObject({ attempt_id: z.string(), outcome: z.string().optional() })

/** The attempts of which a replica says this in its log, and what it says became of them. */
const linesOf = (replica: ServiceProcess, words: string) =>
  replica
    .output()
    .split('\n')
    .filter((line) => line.includes(words))
    .map((line) => lineSchema.parse(JSON.parse(line)))

/** One replica frozen with all phases until another has ended them, then woken to answers that come too late. */
async function freeze() {
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
      await succeed({ output: TOO_LATE })(received, response)
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

  const unwanted = settled.map(({ attempt }) => `${attempt?.id} unwanted`).toSorted()
  const ended = () => linesOf(first, ENDED).map(({ attempt_id, outcome }) => `${attempt_id} ${outcome}`)
  await expect.poll(() => ended().toSorted()).toEqual(unwanted)
  // It is at work again: with the other one gone, it runs something new.
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
  const accepted = await postgres.query(url, 'select id from attempts where output = $1', [TOO_LATE])
  const refused = linesOf(first, REFUSED)
  expect(settled.map(({ attempt }) => attempt?.id)).toEqual(
    expect.arrayContaining(refused.map(({ attempt_id }) => attempt_id)),
  )
  return { late: delivered, refused: refused.length, accepted: accepted.length }
}

const title = postgres.missing === undefined ? 'a replica that was frozen' : `a replica, skipped: ${postgres.missing}`

describe.skipIf(postgres.missing !== undefined)(title, () => {
  it('until another took over finds its late outcomes refused when it wakes', async () => {
    const total = { late: 0, refused: 0, accepted: 0 }
    for (let round = 0; round < ROUNDS; round++) {
      const { late, refused, accepted } = await freeze()
      total.late += late
      total.refused += refused
      total.accepted += accepted
    }
    tell('R8', { 'late outcomes': total.late, refused: total.refused, accepted: total.accepted })
    expect(total).toMatchObject({ late: ROUNDS * PHASES, accepted: 0 })
    // One that wakes may notice that it holds nothing any more before it has read an answer, and then tries nothing.
    expect(total.refused).toBeGreaterThan(0)
  })
})
