import type { InvokeResponse, Workflow } from '@orchestrator/contract'
import { describe, expect, it } from 'vitest'

import { HubError, type InvokeOptions } from '../../src/core/agent-hub.ts'
import { PhaseExecutor } from '../../src/core/phase-executor.ts'
import { currentAttempt } from '../../src/core/workflow-steps.ts'
import { asker } from '../asker.ts'
import { createDrivenClock } from '../driven-clock.ts'
import { openEngine, type Engine } from '../engine.ts'
import { untold } from '../untold.ts'

type Invoke = (o: InvokeOptions, engine: Engine, workflow: Workflow) => Promise<InvokeResponse>

/** One attempt that was handed out, and a hub that answers as told. */
async function stage(invoke: Invoke, signal = new AbortController().signal) {
  const clock = createDrivenClock()
  const engine = await openEngine('sqlite:///:memory:', { clock })
  const workflow = await engine.create()
  let asked = 0
  let settled = 0
  const executor = new PhaseExecutor({
    store: engine.store,
    attempts: engine.machine.attempts,
    hub: {
      invoke: (o) => {
        asked++
        return invoke(o, engine, workflow)
      },
      getArtifact: () => Promise.reject(new Error('not asked for here')),
    },
    clock,
    random: () => 0.5,
    telemetry: untold,
    findHold: async () => undefined,
    backoff: { max_tries: 3, base_ms: 1_000, cap_ms: 60_000 },
    phase_timeout_seconds: 3_600,
    agentFor: () => 'default',
    modelFor: () => undefined,
  })
  return {
    engine,
    clock,
    workflow,
    run: () =>
      executor.run({
        attempt_id: currentAttempt(workflow).id,
        signal,
        settle: (fn) => {
          settled++
          return engine.store.write(fn)
        },
      }),
    cancel: () => engine.machine.cancel(workflow.id, undefined, asker('Robin')),
    find: () => engine.get(workflow.id),
    counts: () => ({ asked, settled }),
  }
}

const away = () => Promise.reject(new HubError('The hub is away.', { transient: true }))

it('notes who took an attempt on, tells what is done, and who did it', async () => {
  const seen: InvokeOptions[] = []
  const { engine, workflow, run } = await stage(async (o) => {
    seen.push(o)
    await o.onAccepted({ id: 'invocation-1', agent: 'demo' })
    o.onUpdate({ kind: 'message', text: 'Hello, ' }, 1)
    o.onUpdate({ kind: 'message', text: 'world.' }, 2)
    return { success: true, result: { output: 'Done.' } }
  })
  await run()
  expect(seen).toMatchObject([{ agent: 'default', key: currentAttempt(workflow).id, after: 0 }])
  expect(await engine.store.listAttempts(workflow.id)).toMatchObject([
    { agent: 'demo', invocation_id: 'invocation-1', state: 'succeeded', output: 'Done.' },
  ])
  expect((await engine.store.listHistory(workflow.id, 0, 10)).map(({ actor }) => actor)).toEqual([
    'orchestrator',
    'agent:demo',
  ])
  const events = await engine.store.listEvents({ after: 0, limit: 100 })
  const updates = events.flatMap((event) => (event.type === 'agent.update' ? event.data.updates : []))
  expect(updates.map(({ text }) => text).join('')).toBe('Hello, world.')
})

describe('an attempt that ended', () => {
  it('is not run', async () => {
    const { run, cancel, find, counts } = await stage(away)
    await cancel()
    await run()
    expect(await find()).toMatchObject({ attempt: { state: 'cancelled', tries: 0 } })
    expect(counts()).toEqual({ asked: 0, settled: 0 })
  })

  it('while the hub was asked does not wait for another try', async () => {
    const { run, find, counts } = await stage(async (_, engine, { id }) => {
      await engine.machine.cancel(id, undefined, asker('Robin'))
      return away()
    })
    await run()
    expect(await find()).toMatchObject({ attempt: { state: 'cancelled', next_retry_at: null } })
    expect(counts()).toEqual({ asked: 1, settled: 0 })
  })

  it('while it waited for another try is left alone', async () => {
    const { clock, run, cancel, find, counts } = await stage(away)
    const done = run()
    await expect.poll(async () => (await find()).attempt?.state).toBe('backing_off')
    await cancel()
    await clock.advance(60_000)
    await done
    expect(counts()).toEqual({ asked: 1, settled: 0 })
  })
})

it('settles nothing for a claim that was lost before the hub was asked', async () => {
  const { run, find, counts } = await stage(({ signal }) => Promise.reject(signal.reason as Error), AbortSignal.abort())
  await run()
  expect(counts()).toEqual({ asked: 1, settled: 0 })
  expect(await find()).toMatchObject({ status: 'in_progress', attempt: { state: 'running' } })
})

it('leaves an attempt to the queue when an error is nobody’s but its own', async () => {
  const { run, find } = await stage(() => Promise.reject(new TypeError('a mistake')))
  await expect(run()).rejects.toThrow('a mistake')
  expect(await find()).toMatchObject({ status: 'in_progress', attempt: { state: 'running' } })
})

it.each([
  ['no agent of that name', 'no agent of that name. Once that is settled,'],
  ['There is no such agent!', 'There is no such agent! Once that is settled,'],
])('ends a workflow that the hub refuses in whole sentences: %s', async (said, error) => {
  const { run, find, counts } = await stage(() => Promise.reject(new HubError(said, { transient: false })))
  await run()
  expect(counts()).toEqual({ asked: 1, settled: 1 })
  expect(await find()).toMatchObject({ status: 'failed', error: expect.stringContaining(error) })
})
