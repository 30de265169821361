import { ServiceError, type AttemptId, type Workflow, type WorkflowId } from '@orchestrator/contract'
import { afterEach, assert, beforeEach, expect, it } from 'vitest'

import type { PhaseQueue, WorkflowStore } from '../../src/core/ports.ts'
import { WorkflowStateMachine } from '../../src/core/state-machine.ts'
import { currentAttempt, positionOf } from '../../src/core/workflow-steps.ts'
import type { Session } from '../../src/db/session.ts'
import { asker } from '../asker.ts'
import { createDrivenClock } from '../driven-clock.ts'
import { untold } from '../untold.ts'
import { openMemoryStore } from '../memory-session.ts'

let session: Session
let store: WorkflowStore
const clock = createDrivenClock()
const queue: PhaseQueue = {
  enqueue: async () => {},
  cancel: async () => {},
  pause: () => Promise.reject(new Error('not asked for here')),
  resume: () => Promise.reject(new Error('not asked for here')),
  lookAgain: async () => {},
  findPause: async () => undefined,
  describeLoad: () => Promise.reject(new Error('not asked for here')),
  consume: () => Promise.reject(new Error('not asked for here')),
}

beforeEach(async () => {
  ;({ session, store } = await openMemoryStore())
})
afterEach(() => session.close())

const machineOn = (on: WorkflowStore, phase_execution: 'hub' | 'external', checkModel = async () => {}) =>
  new WorkflowStateMachine({
    approvals: {
      current: async () => ({
        for: () => ({ minimum_approvals: 1, required_roles: [], four_eyes: false, spares_local: true }),
      }),
    },
    store: on,
    queue,
    clock,
    max_running_per_workspace: undefined,
    max_reworks: 5,
    phase_execution,
    agentFor: () => 'default',
    telemetry: untold,
    highestNumber: async () => 0,
    checkModel,
    findInRepository: async () => undefined,
    onCancellation: () => {},
  })
const body = { workflow_type: 'specify', feature_description: 'Add user authentication with OAuth2' } as const
const attemptOf = (workflow: Workflow) => currentAttempt(workflow).id

it('tells whoever comes second that somebody else has decided', async () => {
  const { id } = await machineOn(store, 'external').create(body, asker('Robin'))
  const outrun: WorkflowStore = {
    ...store,
    write: (fn) => store.write((tx) => fn({ ...tx, moveWorkflow: async () => false })),
  }
  const late = machineOn(outrun, 'external').advance(id, { trigger: 'agent_complete' }, asker('Kim'))
  await expect(late).rejects.toMatchObject({
    code: 'INVALID_STATE_TRANSITION',
    message: expect.stringContaining('Load it again'),
  })
  expect(await store.findWorkflow(id)).toMatchObject({ status: 'in_progress' })
})

it('gives the answer to a repeated request again, also when the agent takes no such model any more', async () => {
  const refusal = new ServiceError('VALIDATION_ERROR', 'The agent takes no such model.')
  const after = machineOn(store, 'external', () => Promise.reject(refusal))
  const asked = { ...body, model: 'large' }
  const idempotency = { key: 'once', body_digest: 'a' }
  const created = await machineOn(store, 'external').create(asked, asker('Robin'), idempotency)
  expect(await after.create(asked, asker('Robin'), idempotency)).toEqual(created)
  await expect(after.create(asked, asker('Robin'), { ...idempotency, key: 'another' })).rejects.toBe(refusal)
  await expect(after.create(asked, asker('Robin'))).rejects.toBe(refusal)
})

it('gives an error that was posted without a word a sentence', async () => {
  const machine = machineOn(store, 'external')
  const { id } = await machine.create(body, asker('Robin'))
  const { error } = await machine.advance(id, { trigger: 'error' }, asker('Kim'))
  expect(error).toContain('without saying which')
})

it('retries nothing whose feature is lost', async () => {
  const machine = machineOn(store, 'external')
  const { id } = await machine.create(body, asker('Robin'))
  await machine.cancel(id, undefined, asker('Robin'))
  await session.write((tx) => tx.deleteFrom('features').execute())
  await expect(machine.retry(id, asker('Robin'))).rejects.toMatchObject({ code: 'FEATURE_NOT_FOUND' })
})

it('takes an attempt that it does not know for unwanted', async () => {
  const machine = machineOn(store, 'hub')
  const unknown = crypto.randomUUID() as AttemptId
  expect(await machine.attempts.begin(unknown)).toBeUndefined()
  const failed = await store.write((tx) => machine.attempts.fail(tx, unknown, 'no', false, 'orchestrator'))
  expect(failed).toBe(false)
})

it('keeps a late answer and late updates of a cancelled attempt out', async () => {
  const machine = machineOn(store, 'hub')
  const workflow = await machine.create(body, asker('Robin'))
  const work = await machine.attempts.begin(attemptOf(workflow))
  assert(work)
  await machine.cancel(workflow.id, undefined, asker('Robin'))
  const before = await store.lastSequence()
  await machine.attempts.recordUpdates(work, [{ kind: 'message', text: 'late' }], 3)
  expect(await machine.attempts.backOff(work, 'late', clock.now().toISOString())).toBe(false)
  expect(await machine.attempts.begin(work.attempt_id)).toBeUndefined()
  expect(await store.lastSequence()).toBe(before)
})

it('reads a position without a phase as the first, and none without an attempt', async () => {
  const workflow = await machineOn(store, 'external').create(body, asker('Robin'))
  expect(positionOf({ ...workflow, current_phase: null }).phase).toBe('phase_1')
  expect(() => positionOf({ ...workflow, attempt: null })).toThrow('has no attempt')
})

it('does not know an unknown workflow', async () => {
  const unknown = machineOn(store, 'hub').cancel(crypto.randomUUID() as WorkflowId, undefined, asker('Robin'))
  await expect(unknown).rejects.toMatchObject({ code: 'WORKFLOW_NOT_FOUND' })
})

it('names a feature that nobody described', async () => {
  const { feature_id } = await machineOn(store, 'hub').create({ workflow_type: 'specify' }, asker('Robin'))
  expect(feature_id).toBe('001-feature')
})

it('keeps the order of what happened when the clock jumps back', async () => {
  const machine = machineOn(store, 'external')
  const { id } = await machine.create(body, asker('Robin'))
  for (const trigger of ['agent_complete', 'human_rejected', 'agent_complete', 'human_approved'] as const) {
    clock.jump(-3_600_000)
    await machine.advance(id, { trigger }, asker('Kim'))
  }
  const history = await store.listHistory(id, 0, 10)
  expect(history.map(({ trigger }) => trigger)).toEqual([
    'start',
    'agent_complete',
    'human_rejected',
    'agent_complete',
    'human_approved',
  ])
  const newest = await machine.create(body, asker('Robin'))
  expect((await store.listWorkflows({})).items.map((workflow) => workflow.id)).toEqual([newest.id, id])
})
