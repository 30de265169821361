import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, describe, expect, it } from 'vitest'

import type { Claim } from '../../src/core/ports.ts'
import { ClaimLostError } from '../../src/db/phase-jobs.ts'
import { asker } from '../asker.ts'
import { createDrivenClock } from '../driven-clock.ts'
import { holding, openEngine, type Engine } from '../engine.ts'
import { startPostgres } from '../postgres-server.ts'

const postgres = await startPostgres()
afterAll(() => postgres.stop())

/** Several replicas on one database. */
async function replicas(count: number): Promise<{ url: string; engines: Engine[] }> {
  const url = await postgres.createDatabase()
  const engines: Engine[] = []
  for (let opened = 0; opened < count; opened++) engines.push(await openEngine(url))
  return { url, engines }
}

/** Begins what it gets and holds it, as an agent at work does. */
function atWork(engine: Engine) {
  const { claims, run } = holding()
  return {
    claims,
    run: async (claim: Claim) => {
      await engine.machine.attempts.begin(claim.attempt_id)
      await run(claim)
    },
  }
}

/** Lets the engine believe that whoever holds a job has been silent for a minute. */
function silence(url: string): Promise<unknown> {
  return postgres.query(url, "update pgboss.job set heartbeat_on = now() - interval '1 minute' where state = 'active'")
}

const patience = { timeout: 30_000, interval: 20 }
const title = postgres.missing === undefined ? 'several replicas' : `several replicas, skipped: ${postgres.missing}`

describe.skipIf(postgres.missing !== undefined)(title, () => {
  it('share the work: each attempt is handed to exactly one', async () => {
    const { engines } = await replicas(3)
    const runs: string[] = []
    const shares = engines.map(() => 0)
    // Whoever has work keeps it until each has some: no other has so many slots.
    const shared = Promise.withResolvers<void>()
    for (const [index, engine] of engines.entries()) {
      await engine.consume(async (claim) => {
        runs.push(claim.attempt_id)
        shares[index]!++
        if (shares.every((share) => share > 0)) shared.resolve()
        await shared.promise
        await engine.finish(claim)
      }, 2)
    }
    const created = await Promise.all(Array.from({ length: 60 }, (_, index) => engines[index % 3]!.create()))
    const states = async () =>
      new Set((await Promise.all(created.map(({ id }) => engines[0]!.get(id)))).map((one) => one.status))
    await expect.poll(states, patience).toEqual(new Set(['waiting_approval']))
    expect(runs.toSorted()).toEqual(created.map((workflow) => workflow.attempt!.id).toSorted())
    expect(shares.every((share) => share > 0)).toBe(true)
    expect(engines.flatMap((engine) => engine.errors)).toEqual([])
  })

  it('wake each other: work enqueued by one is begun by another at once', async () => {
    const { engines } = await replicas(2)
    const [first, second] = engines as [Engine, Engine]
    const { claims, run } = atWork(second)
    await second.consume(run)
    // Longer than a poll, so that only a signal can be this quick every time.
    const delays: number[] = []
    for (let count = 1; count <= 5; count++) {
      const began = performance.now()
      await first.create()
      await expect.poll(() => claims.length, { interval: 2, timeout: 10_000 }).toBe(Math.min(count, 4))
      delays.push(performance.now() - began)
    }
    expect(delays.slice(0, 4).toSorted((a, b) => a - b)[1]).toBeLessThan(500)
  })

  it('cancel reaches the one that runs it, from any other', async () => {
    const { engines } = await replicas(2)
    const [first, second] = engines as [Engine, Engine]
    const { claims, run } = atWork(first)
    await first.consume(run)
    const { id } = await second.create()
    await expect.poll(() => claims, patience).toHaveLength(1)
    await second.machine.cancel(id, undefined, asker('tester'))
    await expect.poll(() => claims[0]!.signal.aborted, { timeout: 2_500, interval: 5 }).toBe(true)
  })

  it('cancel reaches the one that runs it also when the signal was missed', async () => {
    const { url, engines } = await replicas(1)
    const [engine] = engines as [Engine]
    const { claims, run } = atWork(engine)
    await engine.consume(run)
    const { attempt } = await engine.create()
    await expect.poll(() => claims, patience).toHaveLength(1)
    await postgres.query(url, "update attempts set state = 'cancelled' where id = $1", [attempt!.id])
    await expect.poll(() => claims[0]!.signal.aborted, patience).toBe(true)
  })

  it('hand back at once what they run when they are stopped, and it counts as no failed try', async () => {
    const { url, engines } = await replicas(2)
    const [first, second] = engines as [Engine, Engine]
    const before = atWork(first)
    const consumer = await first.consume(before.run)
    await first.create()
    await expect.poll(() => before.claims, patience).toHaveLength(1)
    const after = atWork(second)
    await second.consume(after.run)
    const began = performance.now()
    await consumer.stop()
    await expect.poll(() => after.claims, { ...patience, interval: 5 }).toHaveLength(1)
    // The engine itself would take ten seconds to miss the one that ended.
    expect(performance.now() - began).toBeLessThan(8_000)
    expect(after.claims[0]!.attempt_id).toBe(before.claims[0]!.attempt_id)
    const jobs = await postgres.query(url, "select retry_count from pgboss.job where state < 'completed'")
    expect(jobs).toEqual([{ retry_count: 0 }])
  })

  it('take over from one that froze, whose late outcome is refused and leaves no trace', async () => {
    const { url, engines } = await replicas(1)
    const [living] = engines as [Engine]
    // Its clock stands still: it fetches when told, and never touches what it holds.
    const frozen = await openEngine(url, { clock: createDrivenClock() })
    const late = holding()
    await frozen.consume(async (claim) => {
      await frozen.machine.attempts.begin(claim.attempt_id)
      await late.run(claim)
    })
    const { id } = await frozen.create()
    await expect.poll(() => late.claims, patience).toHaveLength(1)
    const taken = atWork(living)
    await living.consume(taken.run)
    await silence(url)
    await expect.poll(() => taken.claims, patience).toHaveLength(1)

    const before = [await living.get(id), await living.store.listEvents({ after: 0, limit: 100 })]
    const settled = late.claims[0]!.settle((tx) =>
      frozen.machine.attempts.fail(tx, late.claims[0]!.attempt_id, 'too late', false, 'agent'),
    )
    await expect(settled).rejects.toThrow(ClaimLostError)
    expect([await living.get(id), await living.store.listEvents({ after: 0, limit: 100 })]).toEqual(before)

    await living.finish(taken.claims[0]!)
    expect(await living.get(id)).toMatchObject({ status: 'waiting_approval', attempt: { tries: 3 } })
  })

  it('abort a claim that another took over', async () => {
    const { url, engines } = await replicas(2)
    const [first, second] = engines as [Engine, Engine]
    const before = atWork(first)
    await first.consume(before.run, 1)
    await first.create()
    await expect.poll(() => before.claims, patience).toHaveLength(1)
    const after = atWork(second)
    await second.consume(after.run, 1)
    await postgres.query(
      url,
      "update pgboss.job set retry_count = retry_count + 1, state = 'retry' where state = 'active'",
    )
    await expect.poll(() => after.claims, patience).toHaveLength(1)
    await expect.poll(() => before.claims[0]!.signal.aborted, patience).toBe(true)
    expect(after.claims[0]!.signal.aborted).toBe(false)
  })

  it('leave alone what the others run when one of them starts', async () => {
    const { url, engines } = await replicas(1)
    const [first] = engines as [Engine]
    const before = atWork(first)
    await first.consume(before.run)
    const { id } = await first.create()
    await expect.poll(() => before.claims, patience).toHaveLength(1)
    const second = await openEngine(url)
    const { claims, run } = holding()
    await second.consume(run)
    const other = await second.create()
    await expect.poll(() => before.claims.length + claims.length, patience).toBe(2)
    expect((await second.get(id)).attempt!.state).toBe('running')
    expect(claims.map((claim) => claim.attempt_id)).not.toContain(before.claims[0]!.attempt_id)
    expect(other.attempt!.id).not.toBe(before.claims[0]!.attempt_id)
  })

  it('are all paused by one of them, also those that start later, and resumed by another', async () => {
    const { url, engines } = await replicas(2)
    const [first, second] = engines as [Engine, Engine]
    const { claims, run } = atWork(second)
    await second.consume(run)
    const pause = { paused_at: '2026-01-31T12:00:00.000Z', paused_by: 'Robin', reason: null }
    await first.store.write((tx) => first.queue.pause(tx, pause))
    const third = await openEngine(url)
    await third.consume(run)
    const { attempt } = await first.create()
    // Longer than any of them waits between two looks for work.
    const fetched = "select count(*)::int as fetched from pgboss.job where state = 'active' or retry_count > 0"
    for (let look = 0; look < 15; look++) {
      expect(await postgres.query(url, fetched)).toEqual([{ fetched: 0 }])
      await sleep(100)
    }
    expect(claims).toEqual([])
    await second.store.write((tx) => second.queue.resume(tx))
    await expect.poll(() => claims.map((claim) => claim.attempt_id), patience).toEqual([attempt!.id])
  })

  it('give an attempt whose job is gone a new one, and only one, when they start at once', async () => {
    const { url, engines } = await replicas(3)
    const created = await Promise.all(Array.from({ length: 5 }, () => engines[0]!.create()))
    await postgres.query(url, 'delete from pgboss.job')
    const runs: string[] = []
    await Promise.all(
      engines.map((engine) =>
        engine.consume(async (claim) => {
          runs.push(claim.attempt_id)
          await engine.finish(claim)
        }),
      ),
    )
    await expect.poll(() => runs.length, patience).toBe(5)
    expect(runs.toSorted()).toEqual(created.map((workflow) => workflow.attempt!.id).toSorted())
    const jobs = await postgres.query(url, "select count(*)::int as jobs from pgboss.job where name = 'phases'")
    expect(jobs).toEqual([{ jobs: 5 }])
  })

  it('fail a workflow whose attempt was lost with too many of them', async () => {
    const { url, engines } = await replicas(1)
    const [engine] = engines as [Engine]
    const frozen = await openEngine(url, { clock: createDrivenClock() })
    const late = holding()
    await frozen.consume(async (claim) => {
      await frozen.machine.attempts.begin(claim.attempt_id)
      await late.run(claim)
    })
    const { id } = await frozen.create()
    await expect.poll(() => late.claims, patience).toHaveLength(1)
    await postgres.query(url, "update pgboss.job set retry_count = retry_limit where state = 'active'")
    await silence(url)
    const { claims, run } = holding()
    await engine.consume(run)
    await expect.poll(() => engine.get(id), patience).toMatchObject({ status: 'failed', error: 'lost too often' })
    expect(claims).toEqual([])
  })
})
