import { rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'

import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'

import { openDatabases } from '../../services/orchestrator/tests/databases.ts'
import { readEvents } from '../../services/orchestrator/tests/event-reader.ts'
import { hang, startPlainHub, succeed, type PlainHub } from '../../services/orchestrator/tests/plain-hub.ts'
import { clientOf, temporaryFolder } from '../../services/orchestrator/tests/service.ts'
import { startProcess, type ServiceProcess } from '../../services/orchestrator/tests/service-process.ts'
import { limit, tell } from './scale.ts'

const databases = await openDatabases()
afterAll(() => databases.stop())

/** In `npm test` with what a loaded machine adds. */
const START_MS = limit(5_000 + 30_000, 5_000)

let folder: string
let hub: PlainHub
let service: ServiceProcess | undefined

beforeEach(async () => {
  folder = await temporaryFolder()
  hub = await startPlainHub()
})
afterEach(async () => {
  await service?.kill()
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

/** Statements of somebody who writes past the service. */
async function meddle(url: string, statements: readonly string[]): Promise<void> {
  const file = /^sqlite:\/\/\/(.*)$/.exec(url)?.[1]
  for (const statement of statements) {
    if (file === undefined) {
      await databases.postgres.query(url, statement)
      continue
    }
    const database = new DatabaseSync(file)
    database.exec(statement)
    database.close()
  }
}

describe.each(databases.lasting)('$title', (database) => {
  it.skipIf(database.isMissing)('starts with poisoned rows, says so, and goes on with all others', async () => {
    const url = await database.create()
    const env = { DATABASE_URL: url, AGENT_HUB_URL: hub.url, MAX_CONCURRENT_PHASES: '2' }
    service = await startProcess(folder, env)
    const before = clientOf(service.url)
    const waiting = await before.create()
    const reviewed = await before.create()
    for (const { id } of [waiting, reviewed]) await before.until(id, 'waiting_approval')
    hub.usual = hang
    const at_work = await before.create()
    const sound = await before.create()
    const strange = await before.create()
    const queued = await before.create()
    const fed = await before.create()
    await expect.poll(() => hub.received.length).toBe(4)
    await service.stop()
    await meddle(url, [
      `update workflows set context = '{broken' where id = '${at_work.id}'`,
      `update workflows set status = 'asleep' where id = '${strange.id}'`,
      `update workflows set context = '["no object"]' where id = '${queued.id}'`,
      `update workflows set result = 'nonsense' where id = '${waiting.id}'`,
      `update attempts set feedback = '{' where workflow_id = '${fed.id}'`,
      `update events set data = '{' where workflow_id = '${sound.id}' and type = 'attempt.state'`,
    ])

    hub.usual = succeed()
    const began = performance.now()
    service = await startProcess(folder, env)
    const start_ms = performance.now() - began
    const client = clientOf(service.url)
    const health = async () => (await client.request('GET', '/health')).body
    const poisoned = [at_work, strange, queued, waiting, fed]
    const named = async () => {
      const { reasons } = await health()
      return poisoned.filter(({ id }) => reasons.join('\n').includes(id)).length
    }
    await expect.poll(named, { timeout: 20_000 }).toBe(poisoned.length)
    expect(await health()).toMatchObject({ status: 'degraded' })

    // The others go on: the one at work, the one under review, the list, the stream.
    await client.until(sound.id, 'waiting_approval')
    expect((await client.advance(reviewed.id, 'human_approved')).status).toBe(200)
    await client.until(reviewed.id, 'waiting_approval')
    const listed = await client.request('GET', '/workflows')
    const listed_ids = listed.body.items.map(({ id }: { id: string }) => id).toSorted()
    expect(listed_ids).toEqual([sound.id, reviewed.id, fed.id].toSorted())
    const refused = await client.request('GET', `/workflows/${at_work.id}`)
    expect([refused.status, refused.body.error.message]).toEqual([500, expect.stringContaining(at_work.id)])
    const reader = await readEvents(`${service.url}/events?after=0`)
    await expect
      .poll(() => reader.events.at(-1))
      .toMatchObject({ workflow_id: reviewed.id, type: 'workflow.transition' })
    expect(reader.events.filter(({ type }) => type === 'workflow.created')).toHaveLength(7)
    await reader.leave()

    // What is corrected goes on without a restart.
    await meddle(url, [
      `update workflows set context = null where id in ('${at_work.id}', '${queued.id}')`,
      `update workflows set status = 'pending' where id = '${strange.id}'`,
      `update workflows set result = null where id = '${waiting.id}'`,
      `update attempts set feedback = null where workflow_id = '${fed.id}'`,
      `update events set data = '{}' where workflow_id = '${sound.id}' and type = 'attempt.state'`,
    ])
    for (const { id } of [at_work, queued, strange, fed])
      await expect.poll(async () => (await client.get(id)).status, { timeout: 60_000 }).toBe('waiting_approval')
    await expect.poll(() => client.troubles(), { timeout: 20_000 }).toEqual([])

    // What is read only when somebody asks for it is named from then on.
    await meddle(url, [`update attempts set usage = '{' where workflow_id = '${reviewed.id}'`])
    expect((await client.request('GET', `/workflows/${reviewed.id}/attempts`)).status).toBe(500)
    await expect.poll(() => client.troubles()).toContainEqual(expect.stringContaining(reviewed.id))
    await meddle(url, [`update attempts set usage = null where workflow_id = '${reviewed.id}'`])
    await expect.poll(() => client.troubles(), { timeout: 20_000 }).toEqual([])
    tell(`R13 ${database.title}`, { 'poisoned rows': 7, 'start ms': start_ms })
    expect(start_ms).toBeLessThan(START_MS)
  })
})
