import { join } from 'node:path'

import { featureIdSchema } from '@orchestrator/contract'
import { openDatabase, type Database } from '@orchestrator/sqlite'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { failed } from '../../src/core/outcome.ts'
import { createRetention } from '../../src/core/retention.ts'
import { createInvocationStore } from '../../src/db/invocation-store.ts'
import { migrations } from '../../src/db/migrations.ts'
import type { Tables } from '../../src/db/tables.ts'
import { temporaryFolder } from '../git-fixture.ts'
import { specify, startHubProcess } from '../hub-process.ts'

const DAY_MS = 86_400_000
const EVENTS = 2_500
const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString()

let folder: ReturnType<typeof temporaryFolder>
let database: Database<Tables>

beforeEach(async () => {
  folder = temporaryFolder()
  database = await openDatabase<Tables>({
    path: join(folder.path, 'data/agent-hub.db'),
    migrations,
    variable: 'HUB_DATABASE_URL',
  })
})
afterEach(async () => {
  vi.useRealTimers()
  await database.close()
  await folder.remove()
})

const storeOf = (database: Database<Tables>) => createInvocationStore(database, (session_id) => `/homes/${session_id}`)
const left = async (id: string) => {
  const rows = database.read.selectFrom('invocation_events').select((eb) => eb.fn.countAll<number>().as('count'))
  return (await rows.where('invocation_id', '=', id).executeTakeFirstOrThrow()).count
}

/** With one event more than `notes`, the closing one. */
async function finishedAgo(days: number, notes: number): Promise<string> {
  const store = storeOf(database)
  const id = crypto.randomUUID()
  const created_at = daysAgo(days)
  const place = { agent: 'demo', workspace: 'default', feature_id: featureIdSchema.parse('001-login') }
  await store.createInvocation({ ...place, id, idempotency_key: null, body_hash: '', request: specify(), created_at })
  const note = { kind: 'note' as const, text: 'x' }
  const updates = Array.from({ length: notes }, () => note)
  await store.appendUpdates(id, updates, created_at)
  await store.finishInvocation(id, 'queued', { ...failed('No.', 'agent', null), now: created_at })
  return id
}

it('events go in several commits, with a pause after each, and the invocations stay', async () => {
  const old = await finishedAgo(31, EVENTS - 1)
  const young = await finishedAgo(29, 1)
  const removed: number[] = []
  const store = storeOf(database)
  const deleteEvents: typeof store.deleteEvents = async (finished, limit) => {
    const count = await store.deleteEvents(finished, limit)
    removed.push(count)
    return count
  }
  const retention = createRetention({
    store: { deleteEvents },
    now: () => new Date(),
    log: pino({ level: 'silent' }),
  })
  retention.start()
  await expect.poll(() => removed).toEqual([1_000, 1_000, 500])
  await retention.stop()
  expect([await left(old), await left(young)]).toEqual([0, 2])
  expect((await store.findInvocation(old))?.status).toBe('failed')
})

it('what grows old later goes within the hour', async () => {
  const [older, younger] = [await finishedAgo(31, 0), await finishedAgo(29, 0)]
  let now = Date.now()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  const retention = createRetention({
    store: storeOf(database),
    now: () => new Date(now),
    log: pino({ level: 'silent' }),
  })
  retention.start()
  await expect.poll(() => vi.getTimerCount()).toBe(1)
  expect([await left(older), await left(younger)]).toEqual([0, 1])
  now += 2 * DAY_MS
  await vi.advanceTimersByTimeAsync(3_600_000)
  await expect.poll(async () => left(younger)).toBe(0)
  await retention.stop()
})

it('what a stop leaves is there for the next start', async () => {
  const old = await finishedAgo(31, EVENTS - 1)
  const retention = createRetention({ store: storeOf(database), now: () => new Date(), log: pino({ level: 'silent' }) })
  retention.start()
  await retention.stop()
  expect(await left(old)).toBe(EVENTS - 1_000)
})

it('a hub removes them beside its work', async () => {
  const old = await finishedAgo(31, EVENTS - 1)
  await database.close()
  const hub = await startHubProcess({ folder: folder.path })
  await expect.poll(async () => hub.events(old)).toEqual([])
  expect((await hub.get(old)).status).toBe('failed')
  expect(await hub.stop()).toBe(0)
})
