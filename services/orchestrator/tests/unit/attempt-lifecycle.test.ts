import type { Workflow } from '@orchestrator/contract'
import { beforeEach, describe, expect, it } from 'vitest'

import { lostTooOften } from '../../src/core/sentences.ts'
import { currentAttempt } from '../../src/core/workflow-steps.ts'
import { asker } from '../asker.ts'
import { openEngine, type Engine } from '../engine.ts'

let engine: Engine

beforeEach(async () => {
  engine = await openEngine('sqlite:///:memory:')
})

const attemptOf = (workflow: Workflow) => currentAttempt(workflow).id
const cancelled = () => engine.session.read.selectFrom('hub_cancellations').select('attempt_id').execute()

describe('an attempt that has to wait', () => {
  const toldOf = async (workflow: Workflow) =>
    (await engine.store.listEvents({ after: 0, limit: 100 })).filter(
      ({ type, workflow_id }) => type === 'attempt.state' && workflow_id === workflow.id,
    ).length

  it('tells each reason once', async () => {
    const workflow = await engine.create()
    for (const reason of ['No money.', 'No money.', 'No time.', 'No time.'])
      await engine.machine.attempts.hold(attemptOf(workflow), reason)
    expect(await toldOf(workflow)).toBe(2)
    expect((await engine.get(workflow.id)).attempt).toMatchObject({ state: 'queued', reason: 'No time.' })
  })

  it('is not held once it runs, and not when it is no longer wanted', async () => {
    const [running, ended] = [await engine.create(), await engine.create()]
    await engine.machine.attempts.begin(attemptOf(running))
    await engine.machine.cancel(ended.id, undefined, asker('Robin'))
    const before = [await toldOf(running), await toldOf(ended)]
    for (const workflow of [running, ended]) await engine.machine.attempts.hold(attemptOf(workflow), 'No money.')
    expect([await toldOf(running), await toldOf(ended)]).toEqual(before)
    expect((await engine.get(running.id)).attempt).toMatchObject({ state: 'running', reason: null })
  })
})

describe('an attempt that the hub takes on', () => {
  it('is left to it while it is wanted', async () => {
    const id = attemptOf(await engine.create())
    await engine.machine.attempts.begin(id)
    await engine.machine.attempts.noteInvocation(id, 'demo', 'i-1')
    expect(await cancelled()).toEqual([])
  })

  it('is stopped there when it ended meanwhile', async () => {
    const workflow = await engine.create()
    const id = attemptOf(workflow)
    await engine.machine.attempts.begin(id)
    await engine.machine.cancel(workflow.id, undefined, asker('Robin'))
    await engine.session.write((tx) => tx.deleteFrom('hub_cancellations').execute())
    await engine.machine.attempts.noteInvocation(id, 'demo', 'i-1')
    expect(await cancelled()).toEqual([{ attempt_id: id }])
  })
})

describe('a run that another process has taken over', () => {
  it('tells nothing more of the agent, and each of its events is told once', async () => {
    const { attempts } = engine.machine
    const { id, attempt } = await engine.create()
    const [before, after] = [await attempts.begin(attempt!.id), await attempts.begin(attempt!.id)]
    const says = (text: string) => [{ kind: 'message' as const, text }]
    await attempts.recordUpdates(before!, says('late'), 2)
    await attempts.recordUpdates(after!, says('first'), 3)
    await attempts.recordUpdates(after!, says('again'), 3)
    await attempts.recordUpdates(after!, says('second'), 4)
    const told = (await engine.store.listEvents({ after: 0, limit: 100, workflow_id: id })).flatMap((event) =>
      event.type === 'agent.update' ? event.data.updates.map(({ text }) => text) : [],
    )
    expect(told).toEqual(['first', 'second'])
  })

  it('does not wait for another try, and the other one may', async () => {
    const { attempts } = engine.machine
    const { id, attempt } = await engine.create()
    const [before, after] = [await attempts.begin(attempt!.id), await attempts.begin(attempt!.id)]
    const at = '2026-01-31T12:00:00.000Z'
    expect(await attempts.backOff(before!, 'late', at)).toBe(false)
    expect((await engine.get(id)).attempt).toMatchObject({ state: 'running', reason: null })
    expect(await attempts.backOff(after!, 'no hub', at)).toBe(true)
    expect((await engine.get(id)).attempt).toMatchObject({ state: 'backing_off', reason: 'no hub', next_retry_at: at })
  })
})

it('does not begin when it has ended', async () => {
  const id = attemptOf(await engine.create())
  await engine.session.write((tx) => tx.updateTable('attempts').set({ state: 'succeeded' }).execute())
  expect(await engine.machine.attempts.begin(id)).toBeUndefined()
})

it('says what to do about an attempt that was lost too often', async () => {
  const workflow = await engine.create()
  const { attempts } = engine.machine
  await attempts.begin(attemptOf(workflow))
  await engine.store.write((tx) => attempts.fail(tx, attemptOf(workflow), lostTooOften(), true, 'orchestrator'))
  expect(await engine.get(workflow.id)).toMatchObject({
    status: 'failed',
    error: expect.stringContaining('then retry the workflow'),
  })
})

describe('what an earlier setting left queued', () => {
  it('is started whole where phases are run outside, more than one page of it', async () => {
    for (let count = 0; count < 205; count++) await engine.create()
    expect(await engine.machine.attempts.startQueued()).toBe(205)
    expect((await engine.store.listWorkflows({ status: 'pending' })).items).toEqual([])
  })

  it('is started once by two that start at the same time', async () => {
    const { id } = await engine.create()
    const started = await Promise.all([engine.machine.attempts.startQueued(), engine.machine.attempts.startQueued()])
    expect(started.toSorted()).toEqual([0, 1])
    expect(await engine.store.listHistory(id, 0, 10)).toHaveLength(1)
  })
})
