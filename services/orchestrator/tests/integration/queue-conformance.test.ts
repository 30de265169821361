import type { Workflow } from '@orchestrator/contract'
import { afterAll, describe, expect, it } from 'vitest'

import type { Claim } from '../../src/core/ports.ts'
import { asker } from '../asker.ts'
import { openDatabases } from '../databases.ts'
import { holding, openEngine } from '../engine.ts'

const databases = await openDatabases()
const patience = { timeout: 15_000, interval: 10 }
afterAll(() => databases.stop())

describe.each(databases.all)('the queue on $title', ({ create, isMissing }) => {
  describe.skipIf(isMissing)('hands out', () => {
    it('what was enqueued, and nothing of a transaction that was rolled back', async () => {
      const engine = await openEngine(await create())
      const { claims, run } = holding()
      await engine.consume(run)
      const refused = engine.store.write(async (tx) => {
        await engine.queue.enqueue(tx, crypto.randomUUID() as never, 'default')
        throw new Error('refused')
      })
      await expect(refused).rejects.toThrow('refused')
      const workflow = await engine.create()
      await expect.poll(() => claims.map((claim) => claim.attempt_id)).toEqual([workflow.attempt!.id])
    })

    it('what waited before anybody consumed, oldest first', async () => {
      const engine = await openEngine(await create())
      const created: string[] = []
      for (let count = 0; count < 8; count++) created.push((await engine.create()).attempt!.id)
      const order: string[] = []
      await engine.consume(async (claim) => {
        order.push(claim.attempt_id)
        await engine.finish(claim)
      }, 1)
      await expect.poll(() => order).toEqual(created)
    })

    it('to no more at once than it may, and the next as soon as one is done', async () => {
      const engine = await openEngine(await create())
      let now = 0
      let most = 0
      let finished = 0
      const full = Promise.withResolvers<void>()
      await engine.consume(async (claim) => {
        most = Math.max(most, ++now)
        if (now === 3) full.resolve()
        await full.promise
        await new Promise((resolve) => setImmediate(resolve))
        await engine.finish(claim)
        now--
        finished++
      }, 3)
      await Promise.all(Array.from({ length: 20 }, () => engine.create()))
      await expect.poll(() => finished).toBe(20)
      expect(most).toBe(3)
    })

    it('each attempt of a workflow in turn, to the end', async () => {
      const engine = await openEngine(await create())
      await engine.consume((claim) => engine.finish(claim))
      const { id } = await engine.create()
      for (const phase of ['phase_1', 'phase_2']) {
        await expect.poll(() => engine.get(id)).toMatchObject({ status: 'waiting_approval', current_phase: phase })
        await engine.machine.advance(id, { trigger: 'human_approved' }, asker('reviewer'))
      }
      expect(await engine.get(id)).toMatchObject({ status: 'completed' })
      expect(engine.errors).toEqual([])
    })
  })

  describe.skipIf(isMissing)('with slots per agent', () => {
    it('holds back what is over them, and lets others pass', async () => {
      const engine = await openEngine(await create())
      const { claims, run } = holding()
      await engine.consume(
        async (claim) => {
          await engine.machine.attempts.begin(claim.attempt_id)
          await run(claim)
        },
        4,
        2,
      )
      const slow = [1, 2, 3].map(() => engine.create({ agent: 'slow' }))
      const [first, second, third] = await Promise.all(slow)
      const other = await engine.create({ agent: 'other' })
      const held = () => claims.map((claim) => claim.attempt_id).toSorted()
      const ids = (...workflows: Workflow[]) => workflows.map((workflow) => workflow.attempt!.id).toSorted()
      await expect.poll(() => held().length, patience).toBe(3)
      const begun = [first!, second!, third!].filter((one) => held().includes(one.attempt!.id))
      const [waiting] = [first!, second!, third!].filter((one) => !begun.includes(one))
      expect(held()).toEqual(ids(...begun, other))
      expect(await engine.get(waiting!.id)).toMatchObject({ status: 'pending', attempt: { state: 'queued' } })
      await engine.machine.cancel(begun[0]!.id, undefined, asker('tester'))
      await expect.poll(held, patience).toEqual(ids(...begun, other, waiting!))
    })

    it('goes on in the order of creation when many agents wait', async () => {
      const engine = await openEngine(await create())
      const agents = ['one', 'two', 'one', 'three', 'two', 'one', 'default', 'one']
      const created: Workflow[] = []
      for (const agent of agents) created.push(await engine.create({ agent }))
      const order: string[] = []
      await engine.consume(
        async (claim) => {
          order.push(claim.attempt_id)
          await engine.finish(claim)
        },
        1,
        1,
      )
      await expect.poll(() => order, patience).toEqual(created.map((workflow) => workflow.attempt!.id))
    })
  })

  describe.skipIf(isMissing)('paused', () => {
    const pause = { paused_at: '2026-01-31T12:00:00.000Z', paused_by: 'Robin', reason: 'a new model' }

    it('hands out nothing, lets what runs go on, and takes up what waited once it is resumed', async () => {
      const engine = await openEngine(await create())
      const { claims, run } = holding()
      await engine.consume(async (claim) => {
        await engine.machine.attempts.begin(claim.attempt_id)
        await run(claim)
      })
      await engine.create()
      await expect.poll(() => claims, patience).toHaveLength(1)
      expect(await engine.store.write((tx) => engine.queue.pause(tx, pause))).toBe(true)
      expect(await engine.store.write((tx) => engine.queue.pause(tx, { ...pause, paused_by: 'Kim' }))).toBe(false)
      expect(await engine.queue.findPause()).toEqual(pause)
      const waiting = await engine.create()
      expect(await engine.queue.describeLoad()).toMatchObject({ waiting: 1, at_work: 1 })
      await engine.finish(claims[0]!)
      await engine.create()
      expect(claims).toHaveLength(1)
      expect(await engine.get(waiting.id)).toMatchObject({ status: 'pending' })
      expect(await engine.store.write((tx) => engine.queue.resume(tx))).toBe(true)
      expect(await engine.store.write((tx) => engine.queue.resume(tx))).toBe(false)
      await expect.poll(() => claims, patience).toHaveLength(3)
      expect(await engine.queue.findPause()).toBeUndefined()
      expect(await engine.queue.describeLoad()).toEqual({ waiting: 0, at_work: 2, oldest_waiting_at: null })
    })

    it('stays as it was when the transaction is rolled back', async () => {
      const engine = await openEngine(await create())
      const { claims, run } = holding()
      await engine.consume(run)
      const refused = engine.store.write(async (tx) => {
        await engine.queue.pause(tx, pause)
        throw new Error('refused')
      })
      await expect(refused).rejects.toThrow('refused')
      await engine.create()
      await expect.poll(() => claims, patience).toHaveLength(1)
    })
  })

  describe.skipIf(isMissing)('a claim', () => {
    it('is settled with the outcome in one commit: when that is refused, it is handed out again', async () => {
      const engine = await openEngine(await create())
      const claims: Claim[] = []
      await engine.consume(async (claim) => {
        claims.push(claim)
        await engine.machine.attempts.begin(claim.attempt_id)
        await claim.settle(async (tx) => {
          await engine.machine.attempts.fail(tx, claim.attempt_id, `try ${claims.length}`, false, 'agent')
          if (claims.length === 1) throw new Error('the store broke')
        })
      })
      const { id } = await engine.create()
      await expect.poll(() => engine.get(id)).toMatchObject({ status: 'failed', error: 'try 2' })
      expect(claims.map((claim) => claim.attempt_id)).toEqual([claims[0]!.attempt_id, claims[0]!.attempt_id])
      const history = await engine.store.listHistory(id, 0, 10)
      expect(history.map((row) => row.trigger)).toEqual(['start', 'error'])
    })

    it('is aborted when its attempt is cancelled, once that is committed', async () => {
      const engine = await openEngine(await create())
      const { claims, run } = holding()
      await engine.consume(async (claim) => {
        await engine.machine.attempts.begin(claim.attempt_id)
        await run(claim)
      })
      const { id } = await engine.create()
      await expect.poll(() => claims).toHaveLength(1)
      const refused = engine.store.write(async (tx) => {
        await engine.queue.cancel(tx, claims[0]!.attempt_id)
        throw new Error('refused')
      })
      await expect(refused).rejects.toThrow('refused')
      expect(claims[0]!.signal.aborted).toBe(false)
      await engine.machine.cancel(id, 'enough', asker('tester'))
      await expect.poll(() => claims[0]!.signal.aborted).toBe(true)
      expect(await engine.get(id)).toMatchObject({ status: 'failed', attempt: { state: 'cancelled' } })
    })

    it('that comes too late finds the attempt ended and changes nothing', async () => {
      const engine = await openEngine(await create())
      const { claims, run } = holding()
      await engine.consume(async (claim) => {
        await engine.machine.attempts.begin(claim.attempt_id)
        await run(claim)
      })
      const { id } = await engine.create()
      await expect.poll(() => claims).toHaveLength(1)
      await engine.machine.advance(
        id,
        { trigger: 'agent_complete', phase_result: { output: 'mine' } },
        asker('outside'),
      )
      const before = await engine.get(id)
      const late = claims[0]!.settle((tx) =>
        engine.machine.attempts.fail(tx, claims[0]!.attempt_id, 'too late', false, 'agent'),
      )
      await Promise.allSettled([late])
      expect(await engine.get(id)).toEqual(before)
    })
  })

  describe.skipIf(isMissing)('stopped', () => {
    it('aborts what runs, waits for it and hands out no more', async () => {
      const engine = await openEngine(await create())
      const { claims, run } = holding()
      let ended = 0
      const consumer = await engine.consume(async (claim) => {
        await run(claim)
        ended++
      }, 2)
      await Promise.all([engine.create(), engine.create(), engine.create()])
      await expect.poll(() => claims).toHaveLength(2)
      await consumer.stop()
      expect(claims.every((claim) => claim.signal.aborted)).toBe(true)
      expect([claims.length, ended]).toEqual([2, 2])
    })
  })
})

describe.each(databases.lasting)('after a restart, the queue on $title', ({ create, isMissing }) => {
  it.skipIf(isMissing)('is still paused, and says by whom', async () => {
    const url = await create()
    const first = await openEngine(url)
    const pause = { paused_at: '2026-01-31T12:00:00.000Z', paused_by: 'Robin', reason: null }
    await first.store.write((tx) => first.queue.pause(tx, pause))
    const { attempt } = await first.create()
    await first.close()

    const second = await openEngine(url)
    const { claims, run } = holding()
    await second.consume(run)
    expect(await second.queue.findPause()).toEqual(pause)
    expect(await second.queue.describeLoad()).toMatchObject({ waiting: 1, at_work: 0 })
    expect(claims).toEqual([])
    await second.store.write((tx) => second.queue.resume(tx))
    await expect.poll(() => claims.map((claim) => claim.attempt_id), patience).toEqual([attempt!.id])
  })

  it.skipIf(isMissing)('hands out what was begun while phases were run outside', async () => {
    const url = await create()
    const outside = await openEngine(url, { phase_execution: 'external' })
    const { id, attempt } = await outside.create()
    expect(attempt).toMatchObject({ state: 'running' })
    await outside.close()

    const inside = await openEngine(url)
    await inside.consume((claim) => inside.finish(claim))
    await expect.poll(() => inside.get(id), patience).toMatchObject({ status: 'waiting_approval' })
  })

  it.skipIf(isMissing)('hands out again what was at work and what waited, once each', async () => {
    const url = await create()
    const first = await openEngine(url)
    const { claims, run } = holding()
    await first.consume(async (claim) => {
      await first.machine.attempts.begin(claim.attempt_id)
      await run(claim)
    }, 2)
    const created = await Promise.all([first.create(), first.create(), first.create()])
    await expect.poll(() => claims).toHaveLength(2)
    await first.close()

    const second = await openEngine(url)
    const again: string[] = []
    await second.consume(async (claim) => {
      again.push(claim.attempt_id)
      await second.finish(claim)
    }, 1)
    await expect.poll(() => again.length).toBe(3)
    expect(again.toSorted()).toEqual(created.map((workflow) => workflow.attempt!.id).toSorted())
    const tries = async () =>
      (await Promise.all(created.map(async ({ id }) => (await second.get(id)).attempt!.tries))).toSorted(
        (a, b) => a - b,
      )
    await expect.poll(tries).toEqual([1, 2, 2])
    expect(first.errors).toEqual([])
  })
})
