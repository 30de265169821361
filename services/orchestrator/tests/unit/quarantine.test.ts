import type { WorkflowId } from '@orchestrator/contract'
import { sql } from 'kysely'
import { expect, it } from 'vitest'

import type { WorkflowStore } from '../../src/core/ports.ts'
import { Quarantine, readThrough, UnreadableRowError } from '../../src/core/quarantine.ts'
import { createStore } from '../../src/db/store.ts'
import { createDrivenClock } from '../driven-clock.ts'
import { openEngine, type Engine } from '../engine.ts'

const URL_IN_MEMORY = 'sqlite:///:memory:'

/** A store whose unreadable rows go into a quarantine, which counts those that are new. */
async function open(
  phase_execution: 'hub' | 'external' = 'external',
): Promise<{ engine: Engine; store: WorkflowStore; quarantine: Quarantine; told: string[] }> {
  const engine = await openEngine(URL_IN_MEMORY, { phase_execution })
  const told: string[] = []
  const quarantine = new Quarantine((error) => told.push(error.workflow_id))
  return { engine, quarantine, told, store: createStore(engine.session, (error) => quarantine.note(error)) }
}

const poison = (engine: Engine, id: WorkflowId, column: 'context' | 'status', value: string) =>
  engine.session.write((tx) =>
    tx
      .updateTable('workflows')
      .set({ [column]: value })
      .where('id', '=', id)
      .execute(),
  )

/** An event, as far as a row of this number can be told of without one. */
const unreadable = (id: number) =>
  new UnreadableRowError({ row: 'event', id, workflow_id: `w${id}` as WorkflowId }, new Error('broken'))

const { signal } = new AbortController()

it('finds what cannot be read among all that has not ended, page by page, and leaves it out of lists', async () => {
  const { engine, store, told } = await open()
  const clock = createDrivenClock()
  const all = []
  for (let count = 0; count < 205; count++) all.push((await engine.create()).id)
  await poison(engine, all[0]!, 'context', '{')
  await poison(engine, all[1]!, 'status', 'asleep')
  await poison(engine, all[204]!, 'context', '7')
  const done = readThrough(store, clock, signal)
  await expect.poll(() => clock.waiting()).toBe(1)
  expect(new Set(told)).toEqual(new Set([all[1], all[204]]))
  await clock.advance(1_000)
  await done
  expect(new Set(told)).toEqual(new Set([all[0], all[1], all[204]]))
  expect((await store.listWorkflows({ limit: 200 })).items).toHaveLength(199)
})

it('tells of each row once, and lets go of what can be read again', async () => {
  const { engine, store, quarantine, told } = await open()
  const { id } = await engine.create()
  await poison(engine, id, 'context', '{')
  await store.listWorkflows({})
  await store.listWorkflows({})
  expect(told).toEqual([id])
  expect(await quarantine.review(store)).toEqual([expect.stringContaining(`workflow ${id} cannot be read`)])
  await poison(engine, id, 'context', '{}')
  expect(await quarantine.review(store)).toEqual([])
  await poison(engine, id, 'context', '{')
  await store.listWorkflows({})
  expect(told).toEqual([id, id])
})

it('goes over an event that cannot be read, to the next ones', async () => {
  const { engine, store, told } = await open('hub')
  const [first, second] = [await engine.create(), await engine.create()]
  for (const { attempt } of [first, second]) await engine.machine.attempts.begin(attempt!.id)
  await engine.session.write((tx) =>
    tx.updateTable('events').set({ data: '{' }).where('workflow_id', '=', first.id).execute(),
  )
  const events = await store.listEvents({ after: 0, limit: 1_000 })
  const begun = events.filter(({ type }) => type === 'attempt.state')
  expect(begun.map(({ workflow_id }) => workflow_id)).toEqual([second.id])
  expect(told).toEqual([first.id])
  const one_by_one = []
  for (const { sequence } of events) one_by_one.push(...(await store.listEvents({ after: sequence - 1, limit: 1 })))
  expect(one_by_one).toEqual(events)
  const poisoned = events.find(({ workflow_id }) => workflow_id === first.id)
  expect(await store.listEvents({ after: poisoned!.sequence, limit: 1 })).toHaveLength(1)
})

it('names a few, counts the rest, and holds no more than it can', async () => {
  let told = 0
  const quarantine = new Quarantine(() => told++)
  for (let count = 0; count < 1_200; count++) quarantine.note(unreadable(count))
  const reasons = await quarantine.review({ readAgain: async ({ id }) => Promise.reject(unreadable(Number(id))) })
  expect([told, reasons.length, reasons.at(-1)]).toEqual([
    1_000,
    6,
    '995 more rows cannot be read; the log names them.',
  ])
})

it('lets go of attempts, steps and events as well, once they are corrected or gone', async () => {
  const { engine, store, quarantine, told } = await open('hub')
  const [first, second] = [await engine.create(), await engine.create()]
  for (const { attempt } of [first, second]) await engine.machine.attempts.begin(attempt!.id)
  const run = (...statements: string[]) =>
    engine.session.write(async (tx) => {
      for (const statement of statements) await sql.raw(statement).execute(tx)
    })
  await run(
    `update attempts set feedback = '{' where workflow_id = '${first.id}'`,
    `update attempts set usage = '{' where workflow_id = '${second.id}'`,
    `update events set data = '{'`,
    'drop trigger workflow_history_no_update',
    `update workflow_history set metadata = '{' where workflow_id = '${first.id}'`,
  )
  const note = (error: unknown) => quarantine.note(error as UnreadableRowError)
  await engine.machine.attempts.begin(first.attempt!.id).catch(note)
  await store.listAttempts(second.id).catch(note)
  await store.listHistory(first.id, 0, 10).catch(note)
  await store.listEvents({ after: 0, limit: 100 })
  expect(told).toHaveLength(6)
  // Two of them say the same: the event of the history row, and the one beside it.
  expect(await quarantine.review(store)).toHaveLength(5)
  await run(
    `update attempts set feedback = null, usage = null`,
    `update events set data = '{}' where workflow_id = '${first.id}'`,
    `delete from events where workflow_id = '${second.id}'`,
  )
  expect(await quarantine.review(store)).toEqual([
    expect.stringContaining(`history row of workflow ${first.id}`),
    expect.stringContaining(`event of workflow ${first.id}`),
  ])
  await run(`update workflow_history set metadata = null`)
  expect(await quarantine.review(store)).toEqual([])
})

it('looks at no more than a few at a time, and at all of them in turn', async () => {
  const { quarantine } = await open()
  const looked_at: unknown[] = []
  const broken = new Set([3, 50])
  const readAgain: WorkflowStore['readAgain'] = async ({ id }) => {
    looked_at.push(id)
    if (broken.has(Number(id))) throw unreadable(Number(id))
  }
  for (let id = 0; id < 55; id++) quarantine.note(unreadable(id))
  const counts = []
  for (let look = 0; look < 4; look++) {
    const before = looked_at.length
    await quarantine.review({ readAgain })
    counts.push(looked_at.length - before)
  }
  expect(counts).toEqual([20, 20, 15, 2])
  expect(looked_at.slice(0, 55)).toEqual(Array.from({ length: 55 }, (_, id) => id))
  broken.clear()
  expect(await quarantine.review({ readAgain })).toEqual([])
})
