import { setImmediate as turn } from 'node:timers/promises'

import { TRIGGERS, type PostedTrigger, type Trigger } from '@orchestrator/contract'
import fc from 'fast-check'
import { expect } from 'vitest'

import type { Answer } from '../../services/orchestrator/tests/service.ts'
import type { ModelledService } from './modelled-service.ts'
import { isActive, type ModelledWorkflow, type WorkflowModel } from './workflow-model.ts'

/** What was met in all sequences, so that none of it can be missing unseen. */
export const seen = { pairs: new Set<string>(), steps: 0, crashes: 0, crashes_in_flight: 0, restarts: 0 }

type Command = fc.AsyncCommand<WorkflowModel, ModelledService>

const WORKFLOWS_MAX = 4
/** Longer than the longest wait between two tries. */
const BACKOFF_OVER_MS = 61_000
const TURNS_MAX = 3_000

/** Each command acts on both, and then they must agree. */
function command(
  text: string,
  check: (model: WorkflowModel) => boolean,
  run: (model: WorkflowModel, real: ModelledService) => Promise<void>,
): Command {
  return {
    check,
    async run(model, real) {
      seen.steps++
      await run(model, real)
      await agree(model, real)
    },
    toString: () => text,
  }
}

/** The one that `pick` means among so many as there are. */
const picked = (model: WorkflowModel, pick: number) =>
  model.workflows[pick % Math.max(1, model.workflows.length)] as ModelledWorkflow

const hasAny = (model: WorkflowModel) => model.workflows.length > 0
const isAtWork = (model: WorkflowModel) => model.atWork?.isBackingOff === false

const ask = (real: ModelledService, workflow: ModelledWorkflow, trigger: Trigger, abort: boolean) =>
  real.client.advance(workflow.id, trigger, abort ? { abort } : undefined)

const create = () =>
  command(
    'create',
    ({ workflows }) => workflows.length < WORKFLOWS_MAX,
    async (model, real) => {
      const { id, feature_id } = await real.client.create()
      model.create(id, feature_id)
    },
  )

const post = (trigger: Trigger, pick: number, abort: boolean) =>
  command(`post ${trigger}${abort ? ' to abort' : ''} to ${pick}`, hasAny, async (model, real) => {
    const workflow = picked(model, pick)
    seen.pairs.add(`${workflow.status} × ${trigger}`)
    expectAnswer(await ask(real, workflow, trigger, abort), model, workflow, trigger, abort)
  })

function expectAnswer(
  { status, body }: Answer,
  model: WorkflowModel,
  workflow: ModelledWorkflow,
  trigger: Trigger,
  abort: boolean,
): void {
  const refusal = trigger === 'start' ? 'INVALID_TRIGGER' : 'INVALID_STATE_TRANSITION'
  const isAllowed = model.allows(workflow, trigger)
  expect([status, body.error?.code]).toEqual(isAllowed ? [200, undefined] : [400, refusal])
  if (isAllowed) model.take(workflow, trigger as PostedTrigger, abort)
}

const cancel = (pick: number) =>
  command(`cancel ${pick}`, hasAny, async (model, real) => {
    const workflow = picked(model, pick)
    const { status } = await real.client.request('POST', `/workflows/${workflow.id}/cancel`)
    expect(status).toBe(isActive(workflow) ? 200 : 400)
    if (status === 200) model.cancel(workflow)
  })

const retry = (pick: number) =>
  command(
    `retry ${pick}`,
    (model) => hasAny(model) && model.workflows.length < WORKFLOWS_MAX,
    async (model, real) => {
      const { id, feature_id, status } = picked(model, pick)
      const answer = await real.client.request('POST', `/workflows/${id}/retry`)
      const expected = status !== 'failed' ? 400 : model.isBusy(feature_id) ? 409 : 201
      expect(answer.status).toBe(expected)
      if (expected === 201) model.create(answer.body.id, feature_id)
    },
  )

const agentSucceeds = () =>
  command('agent succeeds', isAtWork, async (model, real) => {
    const workflow = model.atWork as ModelledWorkflow
    real.hub.succeed(workflow.id)
    model.take(workflow, 'agent_complete')
  })

const agentFails = () =>
  command('agent fails', isAtWork, async (model, real) => {
    const workflow = model.atWork as ModelledWorkflow
    real.hub.fail(workflow.id)
    model.take(workflow, 'error')
  })

const hubStumbles = () =>
  command('hub stumbles', isAtWork, async (model, real) => {
    const workflow = model.atWork as ModelledWorkflow
    real.hub.stumble(workflow.id)
    workflow.isBackingOff = true
  })

const timePasses = () =>
  command(
    'time passes',
    () => true,
    async (model, real) => {
      await real.clock.advance(BACKOFF_OVER_MS)
      if (model.atWork !== undefined) model.atWork.isBackingOff = false
    },
  )

const clockJumps = (hours: number) =>
  command(
    `clock jumps ${hours} h`,
    () => true,
    async (_model, real) => real.clock.jump(hours * 3_600_000),
  )

const crash = () =>
  command(
    'crash',
    () => true,
    async (model, real) => {
      seen.crashes++
      await real.crash()
      model.restart()
    },
  )

/** A step is under way when the process dies, so that nobody is told what became of it: all of it or nothing. */
const crashInFlight = (trigger: PostedTrigger, pick: number, turns: number) =>
  command(`crash ${turns} turns after ${trigger} to ${pick}`, hasAny, async (model, real) => {
    const workflow = picked(model, pick)
    const before = workflow.history.length
    const unheard = ask(real, workflow, trigger, false).catch(() => {})
    for (let count = 0; count < turns; count++) await turn()
    seen.crashes_in_flight++
    await real.crash()
    await unheard
    const history = await real.client.history(workflow.id)
    if (model.allows(workflow, trigger) && history.at(before)?.trigger === trigger) model.take(workflow, trigger)
    model.restart()
  })

const restart = () =>
  command(
    'restart',
    () => true,
    async (model, real) => {
      seen.restarts++
      await real.restart()
      model.restart()
    },
  )

/** So that sequences get far: the reviewer takes up what waits. */
const decide = (trigger: PostedTrigger) =>
  command(
    `${trigger} for the first that waits`,
    (model) => model.workflows.some(({ status }) => status === 'waiting_approval'),
    async (model, real) => {
      const workflow = model.workflows.find(({ status }) => status === 'waiting_approval') as ModelledWorkflow
      seen.pairs.add(`${workflow.status} × ${trigger}`)
      expectAnswer(await ask(real, workflow, trigger, false), model, workflow, trigger, false)
    },
  )

const pick = fc.nat(WORKFLOWS_MAX - 1)
const posted = TRIGGERS.filter((trigger): trigger is PostedTrigger => trigger !== 'start')
const often = (times: number, drawn: fc.Arbitrary<Command>) => Array.from({ length: times }, () => drawn)
const plain = (make: () => Command) => fc.constant(null).map(make)

/** Steps often, faults now and then. */
const steady = [
  ...often(4, plain(create)),
  ...often(
    14,
    fc.tuple(fc.constantFrom(...TRIGGERS), pick, fc.boolean()).map((drawn) => post(...drawn)),
  ),
  ...often(8, plain(agentSucceeds)),
  ...often(
    8,
    plain(() => decide('human_approved')),
  ),
  ...often(
    2,
    plain(() => decide('human_rejected')),
  ),
  plain(agentFails),
  plain(hubStumbles),
  plain(timePasses),
  fc.integer({ min: -48, max: 48 }).map(clockJumps),
  pick.map(cancel),
  pick.map(retry),
  plain(crash),
  plain(restart),
]
const inFlight = fc.tuple(fc.constantFrom(...posted), pick, fc.nat(12)).map((drawn) => crashInFlight(...drawn))
const LENGTH = { maxCommands: 50, size: 'max' } as const

export const commands = fc.commands([...steady, inFlight], LENGTH)
/** Without what depends on the moment at which a process dies. */
export const steadyCommands = fc.commands(steady, LENGTH)

/** As soon as the service has come to rest: what it tells of every workflow is what the model says. */
async function agree(model: WorkflowModel, real: ModelledService): Promise<void> {
  const { atWork } = model
  for (let turns = 0; !isAtRest(atWork, real) && turns < TURNS_MAX; turns++) await turn()
  const told = await Promise.all(model.workflows.map(({ id }) => untilTold(model, real, id)))
  expect(told).toEqual(model.workflows.map(expected(model)))
}

const isAtRest = (atWork: ModelledWorkflow | undefined, real: ModelledService) =>
  atWork === undefined || atWork.isBackingOff || real.hub.isAtWork(atWork.id)

/** What is committed after the hub's answer takes a few turns of the event loop to be seen. */
async function untilTold(model: WorkflowModel, real: ModelledService, id: string) {
  const wanted = JSON.stringify(model.workflows.filter((one) => one.id === id).map(expected(model)))
  for (let tries = 0; ; tries++) {
    const { status, current_phase, attempt } = await real.client.get(id)
    const said = {
      id,
      status,
      phase: current_phase,
      attempt: attempt?.number,
      isBackingOff: attempt?.state === 'backing_off',
    }
    if (JSON.stringify([said]) === wanted || tries > 200) return said
  }
}

const expected =
  (_model: WorkflowModel) =>
  ({ id, status, phase, attempt, isBackingOff }: ModelledWorkflow) => ({ id, status, phase, attempt, isBackingOff })

/** The end of a sequence: nothing in the history but what the model did, and nothing left at work. */
export async function expectHistories(model: WorkflowModel, real: ModelledService): Promise<void> {
  for (const { id, history } of model.workflows)
    expect((await real.client.history(id)).map(({ trigger }) => trigger)).toEqual(history)
  const rows = [...real.hub.invocations.values()].map(
    ({ workflow_id, phase, attempt }) => `${workflow_id} ${phase} ${attempt}`,
  )
  expect(new Set(rows).size).toBe(rows.length)
}

export async function cancelAll(model: WorkflowModel, real: ModelledService): Promise<void> {
  for (const workflow of model.workflows.filter(isActive)) {
    expect((await real.client.request('POST', `/workflows/${workflow.id}/cancel`)).status).toBe(200)
    model.cancel(workflow)
    // Whoever is next at the hub is taken on there before it is cancelled in turn.
    await agree(model, real)
  }
  real.hub.invocations.clear()
}
