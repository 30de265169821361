import { rm } from 'node:fs/promises'

import { queueSchema } from '@orchestrator/contract'
import { afterAll, describe, expect, it, onTestFinished } from 'vitest'

import { systemClock } from '../../src/core/clock.ts'
import type { Clock } from '../../src/core/ports.ts'
import { openDatabases } from '../databases.ts'
import { createDrivenClock } from '../driven-clock.ts'
import { readEvents } from '../event-reader.ts'
import { gate, hang, refuse, startPlainHub, succeed } from '../plain-hub.ts'
import { startService, temporaryFolder, type Service } from '../service.ts'

const databases = await openDatabases()
afterAll(() => databases.stop())

const patience = { timeout: 30_000, interval: 10 }

/** A hub and services of one test. */
async function stage(create: () => Promise<string>) {
  const [hub, folder, DATABASE_URL] = await Promise.all([startPlainHub(), temporaryFolder(), create()])
  const services: Service[] = []
  onTestFinished(async () => {
    await Promise.all(services.map((service) => service.stop()))
    await hub.close()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    hub,
    /** The workflows that the hub was asked to work for, in order. */
    asked: () => hub.received.map(({ body }) => String(body.parameters['workflow_id'])),
    async start(env: Record<string, string> = {}, clock: Clock = systemClock): Promise<Service> {
      const service = await startService({ hub: hub.url, folder, env: { DATABASE_URL, ...env }, clock })
      services.push(service)
      return service
    },
  }
}

/** What running phases promises, whatever the database: the whole service, on a hub over HTTP. */
describe.each(databases.all)('phases on $title', ({ create, isMissing }) => {
  it.skipIf(isMissing)('wait as pending when no slot is free, and go oldest first', async () => {
    const { hub, asked, start } = await stage(create)
    const service = await start({ MAX_CONCURRENT_PHASES: '1' })
    let release = () => {}
    hub.next((received, response) => void (release = () => void succeed()(received, response)))
    const ids: string[] = []
    for (let count = 0; count < 5; count++) ids.push((await service.create()).id)
    await expect.poll(asked, patience).toEqual(ids.slice(0, 1))
    for (const id of ids.slice(1))
      expect(await service.get(id)).toMatchObject({
        status: 'pending',
        attempt: { state: 'queued', reason: 'Waits for a free slot.' },
      })
    release()
    await expect.poll(asked, patience).toEqual(ids)
    for (const id of ids) await service.until(id, 'waiting_approval')
  })

  it.skipIf(isMissing)('keep to the slots of each agent', async () => {
    const { hub, asked, start } = await stage(create)
    const service = await start({ MAX_CONCURRENT_PHASES: '4', MAX_CONCURRENT_PHASES_PER_AGENT: '1' })
    hub.usual = hang
    const slow = await service.create({ agent: 'slow' })
    const next = await service.create({ agent: 'slow' })
    const other = await service.create({ agent: 'other' })
    await expect.poll(() => asked().toSorted(), patience).toEqual([slow.id, other.id].toSorted())
    expect(await service.get(next.id)).toMatchObject({ status: 'pending' })
    await service.request('POST', `/workflows/${slow.id}/cancel`)
    await expect.poll(asked, patience).toContain(next.id)
  })

  it.skipIf(isMissing)('take 429 for a passing fault, and wait as long as Retry-After says', async () => {
    const { hub, start } = await stage(create)
    const service = await start({ PHASE_RETRY_BASE_MS: '600000' })
    hub.next(refuse(429, 'RATE_LIMITED', 'Too many.', { 'retry-after': '1' }))
    const { id, attempt } = await service.create()
    const waiting = await service.untilBackingOff(id)
    expect(Date.parse(waiting.next_retry_at ?? '') - Date.now()).toBeLessThanOrEqual(1000)
    await service.until(id, 'waiting_approval')
    expect(hub.received.map(({ key }) => key)).toEqual([attempt?.id, attempt?.id])
  })

  it.skipIf(isMissing)('are ended when they take too long', async () => {
    const { hub, start } = await stage(create)
    const service = await start({ PHASE_TIMEOUT_SECONDS: '1' })
    hub.next(hang)
    const { id } = await service.create()
    expect((await service.until(id, 'failed')).error).toContain('PHASE_TIMEOUT_SECONDS')
    await expect.poll(() => hub.received[0]?.gone, patience).toBe(true)
  })

  it.skipIf(isMissing)('are reached by a cancel', async () => {
    const { hub, asked, start } = await stage(create)
    const service = await start()
    hub.next(hang)
    const { id } = await service.create()
    await expect.poll(asked, patience).toEqual([id])
    const { body } = await service.request('POST', `/workflows/${id}/cancel`, { reason: 'enough' })
    expect(body).toMatchObject({ status: 'failed', attempt: { state: 'cancelled' } })
    await expect.poll(() => hub.received[0]?.gone, patience).toBe(true)
    expect(asked()).toEqual([id])
  })

  it.skipIf(isMissing)('wait while the queue is paused by the API, which is told as an event', async () => {
    const { asked, start } = await stage(create)
    const service = await start()
    const stream = await readEvents(`${service.url}/events?after=0`)
    const paused = queueSchema.parse((await service.request('POST', '/queue/pause', { reason: 'a new model' })).body)
    expect(paused).toMatchObject({ state: 'paused', paused_by: 'local', reason: 'a new model', waiting: 0, slots: 4 })
    const again = await service.request('POST', '/queue/pause', {})
    expect(again.body).toMatchObject({ state: 'paused', reason: 'a new model', paused_at: paused.paused_at })
    const { id, created_at } = await service.create()
    const shown = queueSchema.parse((await service.request('GET', '/queue')).body)
    expect(shown).toMatchObject({ waiting: 1, at_work: 0 })
    expect(Math.abs(Date.parse(shown.oldest_waiting_at ?? '') - Date.parse(created_at))).toBeLessThan(60_000)
    expect(await service.get(id)).toMatchObject({ status: 'pending' })
    expect(asked()).toEqual([])
    expect((await service.request('POST', '/queue/resume')).body).toMatchObject({ state: 'running', paused_at: null })
    expect((await service.request('POST', '/queue/resume')).body).toMatchObject({ state: 'running' })
    await service.until(id, 'waiting_approval')
    const told = () => stream.events.filter(({ type }) => type === 'queue.state').map(({ data }) => data)
    await expect.poll(told, patience).toEqual([
      { state: 'paused', actor: 'local', reason: 'a new model' },
      { state: 'running', actor: 'local', reason: null },
    ])
    await stream.leave()
  })
})

describe.each(databases.lasting)('phases at the end of a service on $title', ({ create, isMissing }) => {
  it.skipIf(isMissing)('are let go by a service that ends, and go on in the next, once', async () => {
    const { hub, asked, start } = await stage(create)
    const first = await start()
    hub.next(hang)
    const { id, attempt } = await first.create()
    await expect.poll(asked, patience).toEqual([id])
    await first.stop()
    await expect.poll(() => hub.received[0]?.gone, patience).toBe(true)
    const second = await start()
    await second.until(id, 'waiting_approval')
    expect(hub.received.map(({ key }) => key)).toEqual([attempt?.id, attempt?.id])
    expect(await second.attempts(id)).toMatchObject([{ number: 1, state: 'succeeded', tries: 2 }])
  })

  it.skipIf(isMissing)('have their limit anew in the next, however long there was none, and no longer', async () => {
    const { hub, asked, start } = await stage(create)
    const clock = createDrivenClock()
    const env = { PHASE_TIMEOUT_SECONDS: '60' }
    const first = await start(env, clock)
    hub.usual = hang
    const slow = await first.create()
    const stuck = await first.create()
    await expect.poll(() => asked().toSorted(), patience).toEqual([slow.id, stuck.id].toSorted())
    await clock.advance(59_000)
    await first.stop()
    clock.jump(86_400_000)
    const gated = gate()
    hub.usual = (received, response) => (received.key === slow.attempt?.id ? gated.behaviour : hang)(received, response)
    const second = await start(env, clock)
    await expect.poll(() => asked().length, patience).toBe(4)
    await clock.advance(59_000)
    gated.open()
    await second.until(slow.id, 'waiting_approval')
    expect(await second.get(stuck.id)).toMatchObject({ status: 'in_progress' })
    await clock.advance(1_000)
    expect((await second.until(stuck.id, 'failed')).error).toContain('PHASE_TIMEOUT_SECONDS')
  })
})
