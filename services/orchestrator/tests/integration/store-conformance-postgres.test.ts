import type { JsonObject, Workflow, WorkflowId } from '@orchestrator/contract'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'

import { systemClock } from '../../src/core/clock.ts'
import { EventFeed } from '../../src/core/event-feed.ts'
import type { WorkflowTransaction } from '../../src/core/ports.ts'
import { openSession } from '../../src/db/session.ts'
import { asker } from '../asker.ts'
import { openEngine, type Engine } from '../engine.ts'
import { startPostgres } from '../postgres-server.ts'

const postgres = await startPostgres()
afterAll(() => postgres.stop())

const external = { phase_execution: 'external' } as const
const patience = { timeout: 10_000, interval: 10 }
const title = postgres.missing === undefined ? 'the store on Postgres' : `Postgres, skipped: ${postgres.missing}`

/** A transaction that stands still after `fn` until it is let go. */
async function standing(engine: Engine, fn: (tx: WorkflowTransaction) => Promise<unknown>) {
  const reached = Promise.withResolvers<void>()
  const released = Promise.withResolvers<void>()
  const done = engine.store.write(async (tx) => {
    await fn(tx)
    reached.resolve()
    await released.promise
  })
  onTestFinished(() => released.resolve())
  await Promise.race([reached.promise, done])
  return {
    async letGo() {
      released.resolve()
      await done
    },
  }
}

function appendNote(tx: WorkflowTransaction, workflow_id: WorkflowId, text: string): Promise<void> {
  const data = { attempt_id: crypto.randomUUID() as never, phase: 'phase_1' as const, number: 1 }
  const created_at = new Date().toISOString()
  const updates = [{ kind: 'note' as const, text }]
  return tx.appendEvent({ type: 'agent.update', workflow_id, created_at, data: { ...data, updates } })
}

describe.skipIf(postgres.missing !== undefined)(title, () => {
  it('shows no event while an older one may still be committed, and then both in order', async () => {
    const engine = await openEngine(await postgres.createDatabase(), external)
    const { id } = await engine.create()
    const after = await engine.store.lastSequence()
    const older = await standing(engine, (tx) => appendNote(tx, id, 'older'))
    await engine.store.write((tx) => appendNote(tx, id, 'younger'))
    expect(await engine.store.listEvents({ after, limit: 10 })).toEqual([])
    expect(await engine.store.lastSequence()).toBe(after)
    await older.letGo()
    const events = await engine.store.listEvents({ after, limit: 10 })
    expect(events.map((event) => JSON.stringify(event.data))).toEqual([
      expect.stringContaining('older'),
      expect.stringContaining('younger'),
    ])
  })

  it('tells of an event that a silent transaction held back, on every replica', async () => {
    const url = await postgres.createDatabase()
    const [here, there] = [await openEngine(url, external), await openEngine(url, external)]
    const { id } = await here.create()
    const feed = new EventFeed(there.store, systemClock, (error) => there.errors.push(error))
    const leaving = new AbortController()
    onTestFinished(() => leaving.abort())
    const seen: string[] = []
    const after = await there.store.lastSequence()
    const follow = async () => {
      for await (const event of feed.subscribe({ after, signal: leaving.signal })) seen.push(event.type)
    }
    void follow()
    const silent = await standing(here, (tx) => tx.insertCancellation(crypto.randomUUID() as never))
    await here.store.write((tx) => appendNote(tx, id, 'held back'))
    // Everybody was told of it by now, and could not read it.
    await expect.poll(() => postgres.query(url, 'select 1')).toHaveLength(1)
    expect(seen).toEqual([])
    await silent.letGo()
    await expect.poll(() => seen, { interval: 5 }).toEqual(['agent.update'])
  })

  it('refuses a key that another replica is at work on, and then gives its answer', async () => {
    const url = await postgres.createDatabase()
    const [here, there] = [await openEngine(url, external), await openEngine(url, external)]
    const created = await here.create()
    const idempotency = { key: 'once', body_digest: 'a' }
    const first = await standing(here, async (tx) => {
      await tx.claimIdempotencyKey(idempotency.key)
      await tx.insertIdempotentAnswer(
        idempotency.key,
        idempotency.body_digest,
        { ...created } as JsonObject,
        created.created_at,
      )
    })
    const cancel = () => there.machine.cancel(created.id, undefined, asker('tester'), idempotency)
    await expect(cancel()).rejects.toMatchObject({ code: 'IDEMPOTENCY_IN_FLIGHT' })
    await first.letGo()
    expect(await cancel()).toEqual(created)
  })

  it('tells every replica also after its listening connection was cut', async () => {
    const url = await postgres.createDatabase()
    const [here, there] = [await openEngine(url, external), await openEngine(url, external)]
    await postgres.query(
      url,
      "select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%' or query = 'select 1'",
    )
    let told = 0
    there.store.onEvents(() => told++)
    await here.create()
    await expect.poll(() => told, patience).toBeGreaterThan(0)
  })

  it('lets no cancellation pass an attempt that is just being begun', async () => {
    const engine = await openEngine(await postgres.createDatabase())
    const { id, attempt } = await engine.create()
    const beginning = await standing(engine, async (tx) => {
      await tx.findWork(attempt!.id)
      await tx.beginAttempt(attempt!.id, { tries: 1, started_at: null })
      await tx.moveWorkflow(
        { id, status: 'pending', attempt_id: attempt!.id },
        {
          status: 'in_progress',
          current_phase: 'phase_1',
          attempt_id: attempt!.id,
          updated_at: new Date().toISOString(),
          error: null,
          completed_at: null,
          history_hash: 'x',
          history_sequence: 1,
        },
      )
    })
    const cancelled = engine.machine.cancel(id, undefined, asker('tester'))
    await beginning.letGo()
    expect(await cancelled).toMatchObject({ status: 'failed', attempt: { state: 'cancelled' } })
    expect(await engine.store.listCancellations()).toEqual([{ attempt_id: attempt!.id, invocation_id: null }])
  })

  it('loses and doubles nothing when its connections are cut again and again', async () => {
    const url = await postgres.createDatabase()
    const engine = await openEngine(url, external)
    let isDone = false
    let cuts = 0
    const cut = async () => {
      while (!isDone) {
        const rows = await postgres.query(
          url,
          `select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name = 'orchestrator' order by random() limit 2`,
        )
        cuts += rows.length
      }
    }
    const cutting = cut()
    const settled: PromiseSettledResult<Workflow>[] = []
    const isAcknowledged = (one: PromiseSettledResult<Workflow>) => one.status === 'fulfilled'
    while (cuts <= 10 || settled.filter(isAcknowledged).length <= 100)
      settled.push(...(await Promise.allSettled(Array.from({ length: 50 }, () => engine.create()))))
    isDone = true
    await cutting
    const acknowledged = settled.filter((one) => one.status === 'fulfilled').map((one) => one.value.id)
    const refused = settled.filter((one) => one.status === 'rejected').map((one) => one.reason as unknown)
    // Whoever was not answered is told to look; the answer to COMMIT may be what was cut off.
    expect(refused.every((reason) => (reason as { code?: string }).code === 'UNAVAILABLE')).toBe(true)
    const stored = await postgres.query(url, 'select id, feature_id from workflows')
    const ids = stored.map((row) => row['id'])
    expect(acknowledged.filter((id) => !ids.includes(id))).toEqual([])
    expect(stored.length).toBeLessThanOrEqual(acknowledged.length + refused.length)
    expect(new Set(stored.map((row) => row['feature_id'])).size).toBe(stored.length)
    const [counted] = await postgres.query(
      url,
      `select count(*)::int as history, count(distinct workflow_id)::int as workflows from workflow_history`,
    )
    expect(counted).toEqual({ history: stored.length, workflows: stored.length })
  })

  it('goes on counting events upwards on a server whose transaction ids are smaller', async () => {
    const url = await postgres.createDatabase()
    const first = await openEngine(url, external)
    const { id } = await first.create()
    await first.close()
    await postgres.query(url, 'update workflows set sequence = sequence + 5000000000')
    const second = await openEngine(url, external)
    const after = await second.store.lastSequence()
    expect(after).toBeGreaterThan(5_000_000_000)
    await second.machine.cancel(id, undefined, asker('tester'))
    const events = await second.store.listEvents({ after, limit: 10 })
    expect(events.map((event) => event.type)).toEqual(['workflow.transition'])
    await second.close()
    const third = await openEngine(url, external)
    expect(await third.store.lastSequence()).toBe(events[0]!.sequence)
  })

  it('comes up once, however many replicas find it empty at the same time', async () => {
    const url = await postgres.createDatabase()
    const engines = await Promise.all(Array.from({ length: 4 }, () => openEngine(url, external)))
    const created = await Promise.all(engines.map((engine) => engine.create()))
    const numbers = new Set(created.map((workflow) => Number.parseInt(workflow.feature_id, 10)))
    expect(numbers).toEqual(new Set([1, 2, 3, 4]))
  })

  it.each([
    ['nothing listens', (url: URL) => (url.port = '1'), /nothing listens there: start the server/],
    ['the password is wrong', (url: URL) => (url.password = 'wrong'), /refuses the user or the password: correct them/],
    ['there is no such database', (url: URL) => (url.pathname = '/none'), /no database of that name: create it/],
  ])('says in one line what to do when %s, without the password', async (_case, spoil, reason) => {
    const url = new URL(await postgres.createDatabase())
    const secret = url.password
    spoil(url)
    const error: unknown = await openSession({ url: url.href, onFatal: () => {} }).catch((cause: unknown) => cause)
    expect(error).toMatchObject({ name: 'DatabaseError', message: expect.stringMatching(reason) as string })
    const { message } = error as Error
    expect(message).toMatch(/^DATABASE_URL: the database postgres:\/\/postgres@127\.0\.0\.1:/)
    expect(message).not.toContain('\n')
    expect(message).not.toContain(secret)
    expect(message).not.toContain('wrong')
  })
})
