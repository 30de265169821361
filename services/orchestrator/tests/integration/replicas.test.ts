import { rm } from 'node:fs/promises'

import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'

import { startPlainHub, type PlainHub } from '../plain-hub.ts'
import { startPostgres } from '../postgres-server.ts'
import { clientOf, temporaryFolder } from '../service.ts'
import { startProcess, type ServiceProcess } from '../service-process.ts'

const postgres = await startPostgres()
afterAll(() => postgres.stop())

const title = postgres.missing === undefined ? 'two replicas' : `two replicas, skipped: ${postgres.missing}`

let folder: string
let hub: PlainHub
let replicas: Record<string, ServiceProcess>

/** Two processes on one Postgres; what becomes of their phases when one ends is tested in tests/chaos. */
async function startTwo(): Promise<void> {
  const url = await postgres.createDatabase()
  for (const name of ['first', 'second']) {
    replicas[name] = await startProcess(folder, { DATABASE_URL: url, AGENT_HUB_URL: hub.url })
  }
}

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
