import { expect, it } from 'vitest'

import type { Claim } from '../../src/core/ports.ts'
import { slotsOfAll } from '../../src/db/migrations/0018_slots_of_all.ts'
import { asker } from '../asker.ts'
import { createDrivenClock } from '../driven-clock.ts'
import { holding, openEngine } from '../engine.ts'

const MINUTE_MS = 64_000
/** SQLITE_FULL, as the driver tells it. */
const FULL = Object.assign(new Error('database or disk is full'), { errcode: 13 })

/** Runs everything with `fail`, and moves the clock on after each try, until so many tries were made. */
async function breakOff(fail: (tries: number) => Error | undefined, tries: number) {
  const clock = createDrivenClock()
  const engine = await openEngine('sqlite:///:memory:', { clock })
  const pauses: number[] = []
  let before = clock.now().getTime()
  await engine.consume(async (claim: Claim) => {
    pauses.push(clock.now().getTime() - before)
    before = clock.now().getTime()
    const error = fail(pauses.length)
    if (error === undefined) return engine.finish(claim)
    await engine.machine.attempts.begin(claim.attempt_id)
    throw error
  })
  const { id } = await engine.create()
  for (let made = 1; made <= tries; made++) {
    await expect.poll(() => pauses.length).toBe(made)
    await expect.poll(() => clock.waiting()).toBe(Number(made < tries || fail(made) !== undefined))
    // By seconds, so that each wakes at its own.
    for (let ms = 0; ms < MINUTE_MS && clock.waiting() > 0; ms += 1000) await clock.advance(1000)
  }
  return { engine, id, pauses: pauses.map((ms) => ms / 1000) }
}

it('hands a run that breaks off by a fault of its own out ever more rarely, and fails it in the end', async () => {
  const { engine, id, pauses } = await breakOff(() => new Error('a fault of ours'), 20)
  expect(pauses.slice(1)).toEqual([1, 2, 4, 8, 16, 32, ...Array.from({ length: 13 }, () => 64)])
  await expect.poll(() => engine.get(id)).toMatchObject({ status: 'failed', error: 'lost too often' })
  expect(engine.errors).toHaveLength(20)
})

it('blames nobody for a disk that is full, however long', async () => {
  const { engine, id, pauses } = await breakOff((tries) => [FULL][Number(tries > 30)], 31)
  expect(new Set(pauses.slice(1))).toEqual(new Set([1]))
  await expect.poll(() => engine.get(id)).toMatchObject({ status: 'waiting_approval' })
})

it('knows whose slots an attempt takes that was begun outside before that was noted', async () => {
  const engine = await openEngine('sqlite:///:memory:', { phase_execution: 'external' })
  await engine.create()
  await engine.create({ agent: 'claude' })
  const ended = await engine.create()
  await engine.machine.advance(ended.id, { trigger: 'error' }, asker('outside'))
  await engine.session.write(async (tx) => {
    await tx.updateTable('attempts').set({ queued_for: null }).execute()
    await slotsOfAll.up(tx)
  })
  const slots = await engine.session.read.selectFrom('attempts').select('queued_for').orderBy('position').execute()
  expect(slots.map(({ queued_for }) => queued_for)).toEqual(['default', 'claude', null])
})

it('runs an attempt once at a time, also one that broke off before it began', async () => {
  const clock = createDrivenClock()
  const engine = await openEngine('sqlite:///:memory:', { clock })
  const { claims, run } = holding()
  const faults = [new Error('a fault of ours')]
  await engine.consume(async (claim) => {
    const fault = faults.pop()
    if (fault !== undefined) throw fault
    await engine.machine.attempts.begin(claim.attempt_id)
    await run(claim)
  })
  const { id } = await engine.create()
  await expect.poll(() => clock.waiting()).toBe(1)
  // As when a budget is lifted: what was let go of before it began is found in its row.
  await engine.queue.lookAgain()
  await expect.poll(() => claims.length).toBe(1)
  await clock.advance(2000)
  await clock.advance(2000)
  expect(claims).toHaveLength(1)
  await engine.machine.cancel(id, undefined, asker('Robin'))
  await expect.poll(() => claims[0]?.signal.aborted).toBe(true)
})
