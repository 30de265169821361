import type { AttemptId, WorkflowId } from '@orchestrator/contract'
import { afterEach, beforeEach, expect, it } from 'vitest'

import { Cancellations } from '../../src/core/cancellations.ts'
import { HubError, type AgentHub } from '../../src/core/agent-hub.ts'
import type { WorkflowStore } from '../../src/core/ports.ts'
import type { Session } from '../../src/db/session.ts'
import { createDrivenClock, type DrivenClock } from '../driven-clock.ts'
import { openMemoryStore } from '../memory-session.ts'

let session: Session
let store: WorkflowStore
let clock: DrivenClock
let told: string[]
let errors: unknown[]
let answers: (() => Promise<void>)[]
/** Keys that the hub knows, without ever having told its name for the work. */
let keys: string[]
let cancellations: Cancellations

const unused = () => Promise.reject(new Error('not asked for here'))

beforeEach(async () => {
  ;({ session, store } = await openMemoryStore())
  clock = createDrivenClock()
  told = []
  errors = []
  answers = []
  keys = []
  const hub: AgentHub = {
    invoke: unused,
    getArtifact: unused,
    getWorkspace: unused,
    listAgents: unused,
    listWorkspaces: unused,
    listExchanges: unused,
    findFeature: unused,
    push: unused,
    getHealth: unused,
    async cancel(invocation_id) {
      told.push(invocation_id)
      await answers.shift()?.()
    },
    async cancelByKey(key) {
      const isKnown = keys.includes(key)
      if (isKnown) told.push(`key ${key}`)
      return isKnown
    },
  }
  cancellations = new Cancellations({ store, hub, clock, onError: (error) => errors.push(error) })
})
afterEach(async () => {
  await cancellations.stop()
  await session.close()
})

/** An attempt that the hub is to stop. */
async function unwanted(invocation_id: string | undefined): Promise<AttemptId> {
  const id = crypto.randomUUID() as AttemptId
  await store.write(async (tx) => {
    await tx.insertAttempt({
      id,
      workflow_id: crypto.randomUUID() as WorkflowId,
      phase: 'phase_1',
      number: 1,
      state: 'cancelled',
      reason: null,
      feedback: null,
      session_id: null,
      queued_for: 'default',
      traceparent: null,
      created_at: clock.now().toISOString(),
      started_at: null,
    })
    await tx.insertCancellation(id)
    await tx.insertCancellation(id)
  })
  await name(id, invocation_id)
  return id
}
const name = (id: AttemptId, invocation_id: string | undefined) =>
  store.write(async (tx) => {
    await Promise.all([invocation_id].flatMap((one) => (one === undefined ? [] : [tx.noteInvocation(id, 'a', one)])))
  })
const left = async () => (await store.listCancellations()).length

it('tells the hub once, and forgets', async () => {
  await unwanted('one')
  await unwanted('two')
  cancellations.wake()
  cancellations.wake()
  await expect.poll(left).toBe(0)
  expect(told.toSorted()).toEqual(['one', 'two'])
})

it('tells again until the hub confirms', async () => {
  answers.push(...[1, 2].map(() => () => Promise.reject(new HubError('The hub is away.', { transient: true }))))
  await unwanted('one')
  cancellations.wake()
  await expect.poll(() => clock.waiting()).toBe(1)
  await clock.advance(2000)
  await expect.poll(() => clock.waiting()).toBe(1)
  expect(await left()).toBe(1)
  await clock.advance(2000)
  await expect.poll(left).toBe(0)
  expect(told).toEqual(['one', 'one', 'one'])
  expect(errors).toEqual([])
})

it('goes on after an error that it does not know', async () => {
  answers.push(() => Promise.reject(new Error('the disk is full')))
  await unwanted('one')
  cancellations.wake()
  await expect.poll(() => clock.waiting()).toBe(1)
  expect(errors).toMatchObject([{ message: 'the disk is full' }])
  await clock.advance(2000)
  await expect.poll(left).toBe(0)
})

it('gives the hub a moment to tell its name for the work', async () => {
  const id = await unwanted(undefined)
  cancellations.wake()
  await expect.poll(() => clock.waiting()).toBe(1)
  await name(id, 'late')
  await clock.advance(2000)
  await expect.poll(left).toBe(0)
  expect(told).toEqual(['late'])
})

it('stops by its key what the hub took on and never named', async () => {
  const id = await unwanted(undefined)
  keys = [id]
  cancellations.wake()
  await expect.poll(left).toBe(0)
  expect(told).toEqual([`key ${id}`])
})

it('forgets what the hub never took on', async () => {
  await unwanted(undefined)
  cancellations.wake()
  await expect.poll(() => clock.waiting()).toBe(1)
  await clock.advance(2000)
  await expect.poll(left).toBe(0)
  expect(told).toEqual([])
})

it('tells what comes while it tells', async () => {
  answers.push(async () => {
    await unwanted('second')
    cancellations.wake()
  })
  await unwanted('first')
  cancellations.wake()
  await expect.poll(() => told).toEqual(['first', 'second'])
  await expect.poll(left).toBe(0)
})

it('stops at once, and is not woken any more', async () => {
  answers.push(() => Promise.reject(new HubError('The hub is away.', { transient: true })))
  await unwanted('one')
  cancellations.wake()
  await expect.poll(() => clock.waiting()).toBe(1)
  await cancellations.stop()
  cancellations.wake()
  await clock.advance(60_000)
  expect(told).toEqual(['one'])
})
