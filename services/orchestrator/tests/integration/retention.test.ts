import { afterAll, describe, expect, it } from 'vitest'

import { Retention } from '../../src/core/retention.ts'
import type { WorkflowStore } from '../../src/core/ports.ts'
import { createStore } from '../../src/db/store.ts'
import { openSession } from '../../src/db/session.ts'
import { openDatabases } from '../databases.ts'
import { createDrivenClock } from '../driven-clock.ts'
import { readEvents } from '../event-reader.ts'
import { openEngine } from '../engine.ts'
import { startService } from '../service.ts'

const databases = await openDatabases()
afterAll(() => databases.stop())

const DAY_MS = 86_400_000
const retentionOf = (store: WorkflowStore, clock: ReturnType<typeof createDrivenClock>, days = 30) =>
  new Retention({ store, clock, days, onError: (error) => expect.unreachable(String(error)) })

describe.each(databases.all)('events on $title', ({ create, isMissing }) => {
  it.skipIf(isMissing)('leave with them the answers of keys that nobody asks for again', async () => {
    const clock = createDrivenClock()
    const { store, session } = await openEngine(await create(), { clock })
    const answer = async (key: string) =>
      store.write((tx) => tx.insertIdempotentAnswer(key, 'digest', {}, clock.now().toISOString()))
    await answer('old')
    clock.jump(6 * DAY_MS)
    await answer('young')
    clock.jump(DAY_MS + 1)
    // Also where events are kept for ever.
    expect(await retentionOf(store, clock, 0).removeExpired()).toBe(1)
    const left = await session.read.selectFrom('idempotent_answers').select('key').execute()
    expect(left).toEqual([{ key: 'young' }])
  })

  it.skipIf(isMissing)('go when they are too old, transitions stay, and it is remembered up to where', async () => {
    const clock = createDrivenClock()
    const engine = await openEngine(await create(), { clock })
    const begin = async () => engine.machine.attempts.begin((await engine.create()).attempt!.id)
    const work = await begin()
    const old = await engine.store.listEvents({ after: 0, limit: 100 })
    const told = old.filter((event) => event.type === 'attempt.state')
    expect(told).toHaveLength(1)
    clock.jump(31 * DAY_MS)
    await begin()
    const all = await engine.store.listEvents({ after: 0, limit: 100 })
    const retention = retentionOf(engine.store, clock)
    expect(await engine.store.removedUpTo()).toBe(0)
    expect(await retention.removeExpired()).toBe(1)
    const left = all.filter((event) => event.sequence !== told[0]!.sequence)
    expect(await engine.store.listEvents({ after: 0, limit: 100 })).toEqual(left)
    expect(await engine.store.removedUpTo()).toBe(told[0]!.sequence)
    expect(await engine.store.listHistory(work!.workflow.id, 0, 100)).toHaveLength(1)
    expect(await retention.removeExpired()).toBe(0)
    expect(await engine.store.removedUpTo()).toBe(told[0]!.sequence)
  })
})

describe('more than one commit may remove', () => {
  const stageMany = async () => {
    const clock = createDrivenClock()
    const engine = await openEngine('sqlite:///:memory:', { clock })
    const created_at = clock.now().toISOString()
    await engine.store.write(async (tx) => {
      for (let count = 0; count < 2_500; count++) await tx.insertIdempotentAnswer(`k${count}`, 'digest', {}, created_at)
    })
    clock.jump(8 * DAY_MS)
    const left = async () => (await engine.session.read.selectFrom('idempotent_answers').select('key').execute()).length
    return { clock, left, retention: retentionOf(engine.store, clock, 0) }
  }

  it('goes in several, with a pause after each', async () => {
    const { clock, left, retention } = await stageMany()
    const removing = retention.removeExpired()
    for (const rest of [1_500, 500]) {
      await expect.poll(() => clock.waiting()).toBe(1)
      expect(await left()).toBe(rest)
      await clock.advance(50)
    }
    expect(await removing).toBe(2_500)
    expect(await left()).toBe(0)
  })

  it('is left for the next start when the service ends', async () => {
    const { clock, left, retention } = await stageMany()
    retention.start()
    await expect.poll(() => clock.waiting()).toBe(1)
    await retention.stop()
    expect(await left()).toBe(1_500)
  })
})

describe('an event stream past retention', () => {
  it('begins with one reset that says where it goes on, and only for who asked to go on before', async () => {
    const service = await startService()
    const url = `sqlite:///${service.folder}/orchestrator.db`
    const { id } = await service.create()
    // Told by an event alone, as what agents do is; transitions are told by the history.
    await service.request('POST', '/queue/pause')
    await service.stop()
    const session = await openSession({ url, onFatal: () => {} })
    const store = createStore(session)
    const removed = await store.lastSequence()
    const clock = createDrivenClock(Date.now() + 31 * DAY_MS)
    await retentionOf(store, clock).removeExpired()
    await session.close()
    const again = await startService({ folder: service.folder })
    await again.create()
    const raw = async (path: string, headers: Record<string, string> = {}) => {
      const leaving = new AbortController()
      const answer = await fetch(again.url + path, { headers, signal: leaving.signal })
      const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
      let text = ''
      while (!/^event: workflow.(transition|created)|^event: reset/m.test(text))
        text += (await reader.read()).value ?? ''
      leaving.abort()
      return text
    }
    const reset = `id: ${removed}\nevent: reset\ndata: {"sequence":${removed}}\n\n`
    expect(await raw('/events?after=1')).toContain(reset)
    expect(await raw('/events', { 'last-event-id': '1' })).toContain(reset)
    expect(await raw(`/workflows/${id}/events?after=1`)).toContain(reset)
    expect(await raw(`/workflows/${id}/events`)).not.toContain('event: reset')
    // Who was told goes on with what is left, and is not told again.
    const reader = await readEvents(`${again.url}/events`, { 'last-event-id': String(removed) })
    await expect.poll(() => reader.events.map((event) => event.type)).toContain('workflow.created')
    expect(reader.events.every((event) => event.sequence > removed)).toBe(true)
    await reader.leave()
    await again.close()
  })
})
