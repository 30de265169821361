import { afterEach, beforeEach, expect, it } from 'vitest'

import { HubError, type AgentHub } from '../../src/core/agent-hub.ts'
import type { WorkflowStore } from '../../src/core/ports.ts'
import { createHealthCheck, type Trouble } from '../../src/core/service-health.ts'
import type { Session } from '../../src/db/session.ts'
import { createDrivenClock, type DrivenClock } from '../driven-clock.ts'
import { openMemoryStore } from '../memory-session.ts'

let session: Session
let store: WorkflowStore
let clock: DrivenClock

beforeEach(async () => {
  ;({ session, store } = await openMemoryStore())
  clock = createDrivenClock()
})
afterEach(() => session.close())

const unused = () => Promise.reject(new Error('not asked for here'))
const hubWith = (getHealth: AgentHub['getHealth']): AgentHub => ({
  invoke: unused,
  cancel: unused,
  cancelByKey: unused,
  getArtifact: unused,
  getWorkspace: unused,
  listAgents: unused,
  listWorkspaces: unused,
  listExchanges: unused,
  findFeature: unused,
  push: unused,
  getHealth,
})
const well = { status: 'healthy' as const, reasons: [] }
const check = (hub: AgentHub | undefined, over: Partial<WorkflowStore> = {}, troubles: Trouble[] = []) =>
  createHealthCheck({ store: { ...store, ...over }, hub, troubles, clock, version: '1.2.3', started_at: clock.now() })

it('is healthy with a store and a hub, and tells how long it is up', async () => {
  const health = check(hubWith(async () => well))
  clock.jump(90_000)
  expect(await health()).toEqual({ status: 'healthy', version: '1.2.3', uptime_seconds: 90, reasons: [] })
})

it('is degraded by each trouble, also by one that cannot be told', async () => {
  const troubles = [() => ['The queue is paused.'], () => [], () => Promise.reject(new Error('no such disk'))]
  expect(await check(undefined, {}, troubles)()).toMatchObject({
    status: 'degraded',
    reasons: ['The queue is paused.', 'A part of the service cannot tell how it is: Error: no such disk'],
  })
})

it('is healthy without a hub where phases are run outside', async () => {
  expect(await check(undefined)()).toMatchObject({ status: 'healthy' })
})

it('is degraded when the hub is away, in the hub’s words, and healthy again afterwards', async () => {
  let away = true
  const health = check(
    hubWith(() =>
      away ? Promise.reject(new HubError('The hub is away.', { transient: true })) : Promise.resolve(well),
    ),
  )
  expect(await health()).toMatchObject({ status: 'degraded', reasons: ['The hub is away.'] })
  away = false
  expect(await health()).toMatchObject({ status: 'degraded' })
  clock.jump(2001)
  expect(await health()).toMatchObject({ status: 'healthy' })
})

it.each([
  [['The sandbox is off.'], ['Agent Hub: The sandbox is off.']],
  [[], ['The Agent Hub says it is degraded.']],
])('is degraded when the hub says it is, with its reasons %j', async (reasons, told) => {
  const health = check(hubWith(async () => ({ status: 'degraded', reasons })))
  expect(await health()).toMatchObject({ status: 'degraded', reasons: told })
})

it('is degraded when the hub is silent, and does not wait for it', async () => {
  const answer = check(hubWith(() => new Promise(() => {})))()
  await clock.advance(1000)
  expect(await answer).toMatchObject({ status: 'degraded', reasons: ['The Agent Hub does not answer in time.'] })
})

it('is degraded by what it does not understand', async () => {
  expect(await check(hubWith(() => Promise.reject(new Error('odd'))))()).toMatchObject({ reasons: ['Error: odd'] })
})

it('is unhealthy when the store cannot be read', async () => {
  const broken = () => Promise.reject(new Error('disk I/O error'))
  expect(await check(undefined, { lastSequence: broken })()).toMatchObject({
    status: 'unhealthy',
    reasons: ['The database cannot be read: Error: disk I/O error'],
  })
})

it('asks the hub again after a jump of the clock backwards, and never tells a negative time', async () => {
  let asked = 0
  const health = check(
    hubWith(async () => {
      asked++
      return well
    }),
  )
  await health()
  clock.jump(-3_600_000)
  expect(await health()).toMatchObject({ status: 'healthy', uptime_seconds: 0 })
  expect(asked).toBe(2)
})
