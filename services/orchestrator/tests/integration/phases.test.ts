import { createHash } from 'node:crypto'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { failWith, gate, hang, startPlainHub, succeed, type PlainHub } from '../plain-hub.ts'
import { startService, type Service, type ServiceOptions } from '../service.ts'

let hub: PlainHub
let service: Service
const begin = async (o: ServiceOptions = {}) => {
  service = await startService({ hub: hub.url, ...o })
}

beforeEach(async () => {
  hub = await startPlainHub()
})
afterEach(async () => {
  await service.close()
  await hub.close()
})

const summary = async (id: string) =>
  (await service.history(id)).map(({ from_status, trigger, to_status, phase, attempt }) =>
    [from_status, trigger, to_status, phase, attempt].join(' '),
  )

describe('a workflow, from a sentence to the end', () => {
  it('calls its hub by itself, and moves when the hub has answered', async () => {
    await begin()
    const created = await service.create({ context: { priority: 'P1' } })
    const { result } = await service.until(created.id, 'waiting_approval')
    expect(hub.received).toHaveLength(1)
    expect(hub.received[0]).toMatchObject({
      agent: 'default',
      key: created.attempt?.id,
      prefer: 'respond-async',
      body: {
        workflow_type: 'specify',
        context: {
          feature_id: created.feature_id,
          feature_description: created.feature_description,
          phase: 'phase_1',
          additional_context: { priority: 'P1' },
        },
        parameters: { command: 'speckit.specify', workflow_id: created.id, attempt: 1, workspace: 'default' },
      },
    })
    expect(result).toMatchObject({ output: 'default did specify phase_1 as 1', phase: 'phase_1', attempt: 1 })
  })

  it('completes after two approvals, and its history has every step', async () => {
    await begin()
    const { id } = await service.create()
    await service.until(id, 'waiting_approval')
    await service.advance(id, 'human_approved', { approved: true })
    await service.until(id, 'waiting_approval')
    const { body } = await service.advance(id, 'human_approved', { approved: true })
    expect(body).toMatchObject({ status: 'completed', current_phase: 'phase_2', error: null })
    expect(body.completed_at).not.toBeNull()
    expect(await summary(id)).toEqual([
      'pending start in_progress phase_1 1',
      'in_progress agent_complete waiting_approval phase_1 1',
      'waiting_approval human_approved in_progress phase_1 1',
      'in_progress agent_complete waiting_approval phase_2 1',
      'waiting_approval human_approved completed phase_2 1',
    ])
    expect((await service.history(id)).map(({ actor }) => actor)).toEqual([
      'orchestrator',
      'agent:default',
      'local',
      'agent:default',
      'local',
    ])
    expect(hub.received.map(({ body: sent }) => sent.parameters['command'])).toEqual([
      'speckit.specify',
      'speckit.clarify',
    ])
    expect(hub.received[1]?.body.context.previous_result).toMatchObject({ output: 'default did specify phase_1 as 1' })
  })

  it('keeps the agent’s result whatever a reviewer posts', async () => {
    await begin()
    const { id } = await service.create()
    const { result } = await service.until(id, 'waiting_approval')
    const gated = gate()
    hub.next(gated.behaviour)
    const { body } = await service.advance(id, 'human_approved', {
      approved: true,
      output: 'overwritten',
      files_created: ['mine'],
    })
    expect(body.result).toEqual(result)
    gated.open()
    await service.until(id, 'waiting_approval')
    await service.advance(id, 'human_approved', { output: 'overwritten' })
    expect((await service.get(id)).result).toMatchObject({ output: 'default did specify phase_2 as 1' })
    expect((await service.history(id))[2]?.metadata).toMatchObject({ output: 'overwritten' })
  })

  it('reworks the same phase after a rejection, with the comments in the agent’s hands and in its session', async () => {
    await begin()
    hub.next(succeed({ data: { session_id: 'session-1' } }))
    const { id, attempt } = await service.create()
    await service.until(id, 'waiting_approval')
    const comments = [{ path: 'specs/001-x/spec.md', lines: { start: 2, end: 2 }, text: 'Name the roles.' }]
    const { body } = await service.advance(id, 'human_rejected', { approved: false, comments })
    expect(body).toMatchObject({ status: 'in_progress', current_phase: 'phase_1', attempt: { number: 2 } })
    const { result } = await service.until(id, 'waiting_approval')
    expect(result).toMatchObject({ output: 'default did specify phase_1 as 2' })
    const sent = hub.received[1]
    expect(sent?.key).not.toBe(attempt?.id)
    expect(sent?.body).toMatchObject({
      session_id: 'session-1',
      context: {
        phase: 'phase_1',
        feedback: {
          text: 'specs/001-x/spec.md, line 2: Name the roles.',
          threads: [{ ...comments[0], id: expect.any(String) }],
        },
      },
      parameters: { command: 'speckit.specify', attempt: 2 },
    })
    const [first, second] = await service.attempts(id)
    expect(sent?.body.context.feedback?.threads[0]?.id).toBe(first?.review?.threads[0]?.id)
    expect(first).toMatchObject({ state: 'succeeded', output: 'default did specify phase_1 as 1' })
    expect(second).toMatchObject({ state: 'succeeded', number: 2, session_id: 'session-1' })
    expect(first?.review?.threads[0]?.fate).toBe('unanswered')
  })

  it('notes what the agent says became of a comment', async () => {
    await begin()
    const { id } = await service.create()
    await service.until(id, 'waiting_approval')
    hub.next((received, response) =>
      succeed({
        data: {
          threads: received.body.context.feedback?.threads.map((thread) => ({
            id: thread.id,
            fate: 'addressed',
            reply: 'Named them.',
          })),
        },
      })(received, response),
    )
    await service.advance(id, 'human_rejected', { comments: 'Name the roles.' })
    await service.until(id, 'waiting_approval')
    const [first] = await service.attempts(id)
    expect(first?.review?.threads).toMatchObject([{ text: 'Name the roles.', fate: 'addressed', reply: 'Named them.' }])
  })

  it('hands an approval’s comments to the next phase', async () => {
    await begin()
    const { id } = await service.create()
    await service.until(id, 'waiting_approval')
    await service.advance(id, 'human_approved', { comments: 'Use Google as the provider.' })
    await service.until(id, 'waiting_approval')
    expect(hub.received[1]?.body.context.feedback?.text).toBe('Use Google as the provider.')
  })

  it.each([
    [{ abort: true }, 'Stopped in review by local.'],
    [{ abort: true, comments: 'Not needed any more.' }, 'Stopped in review by local: Not needed any more.'],
  ])('fails on a rejection with %j', async (result, error) => {
    await begin()
    const { id } = await service.create()
    await service.until(id, 'waiting_approval')
    const { body } = await service.advance(id, 'human_rejected', result)
    expect(body).toMatchObject({ status: 'failed', error })
    expect((await service.attempts(id))[0]).toMatchObject({ state: 'succeeded', review: { verdict: 'stopped' } })
    expect(hub.received).toHaveLength(1)
  })

  it('fails on one rejection more than MAX_REWORKS', async () => {
    await begin({ env: { MAX_REWORKS: '2' } })
    const { id } = await service.create()
    for (const _rework of [1, 2]) {
      await service.until(id, 'waiting_approval')
      await service.advance(id, 'human_rejected', { comments: 'Again.' })
    }
    await service.until(id, 'waiting_approval')
    const { body } = await service.advance(id, 'human_rejected', { comments: 'Again.' })
    expect(body).toMatchObject({ status: 'failed', error: expect.stringContaining('MAX_REWORKS') })
    expect(hub.received).toHaveLength(3)
  })

  it('asks the agent that the workflow names, then the type’s, then the general one', async () => {
    await begin({ env: { AGENT_NAME: 'general', AGENT_NAME_PLAN: 'planner' } })
    await service.until((await service.create({ agent: 'named' })).id, 'waiting_approval')
    await service.until((await service.create({ workflow_type: 'plan' })).id, 'waiting_approval')
    await service.until((await service.create({ workflow_type: 'tasks' })).id, 'waiting_approval')
    expect(hub.received.map(({ agent }) => agent)).toEqual(['named', 'planner', 'general'])
  })

  it('names the model of the type, or leaves it to the agent', async () => {
    await begin({ env: { AGENT_MODEL_PLAN: 'maker/large' } })
    await service.until((await service.create()).id, 'waiting_approval')
    await service.until((await service.create({ workflow_type: 'plan' })).id, 'waiting_approval')
    expect(hub.received.map(({ body }) => body.parameters.model)).toEqual([undefined, 'maker/large'])
  })

  it('prefers the model that the workflow names, and keeps it for a retry', async () => {
    await begin({ env: { AGENT_MODEL: 'maker/large' } })
    hub.next(failWith('The repository has no commits.'))
    const { id } = await service.create({ model: 'maker/small' })
    await service.until(id, 'failed')
    const retried = await service.request('POST', `/workflows/${id}/retry`)
    expect(retried.body).toMatchObject({ retry_of: id, model: 'maker/small' })
    await service.until(retried.body.id, 'waiting_approval')
    expect(hub.received.map(({ body }) => body.parameters.model)).toEqual(['maker/small', 'maker/small'])
    expect(await service.get(id)).toMatchObject({ model: 'maker/small' })
  })

  it('refuses a model for an agent that takes none, as soon as it is asked for', async () => {
    await begin()
    const agent = { available: true, version: null, reason: null, install: null }
    hub.agents = {
      default: 'demo',
      items: [
        { ...agent, name: 'demo', title: 'Offline demo agent', default: true, takes_model: false },
        { ...agent, name: 'claude', title: 'Claude', default: false, takes_model: true },
      ],
    }
    const body = { workflow_type: 'specify', feature_description: 'Let people sign in by mail.', model: 'small' }
    const refused = await service.request('POST', '/workflows', body)
    expect(refused.status).toBe(422)
    expect(refused.body.error).toMatchObject({
      message: 'The agent "demo" (Offline demo agent) has no model to choose. Leave model out, or name another agent.',
      details: [{ field: 'model' }],
    })
    expect((await service.request('POST', '/workflows', { ...body, agent: 'claude' })).status).toBe(201)
  })

  it('sends the hub its token', async () => {
    await begin({ env: { AGENT_HUB_TOKEN: '0123456789abcdef' } })
    await service.until((await service.create()).id, 'waiting_approval')
    expect(hub.received[0]?.authorization).toBe('Bearer 0123456789abcdef')
  })

  it('fails with the agent’s words when the agent could not do it, and can be retried', async () => {
    await begin()
    hub.next(failWith('The repository has no commits.'))
    const { id, feature_id } = await service.create({ context: { priority: 'P1' }, agent: 'named' })
    const { error } = await service.until(id, 'failed')
    expect(error).toBe('Agent named could not do it: The repository has no commits.')
    const retried = await service.request('POST', `/workflows/${id}/retry`)
    expect(retried.status).toBe(201)
    expect(retried.body).toMatchObject({ retry_of: id, feature_id, context: { priority: 'P1' }, agent: 'named' })
    await service.until(retried.body.id, 'waiting_approval')
    expect((await service.get(id)).status).toBe('failed')
    const busy = await service.request('POST', `/workflows/${id}/retry`)
    expect(busy.body.error.code).toBe('FEATURE_BUSY')
  })
})

describe('whoever is first', () => {
  it('an external agent_complete wins over the running invocation, which is let go', async () => {
    await begin()
    hub.next(hang)
    const { id } = await service.create()
    await expect.poll(() => hub.received.length).toBe(1)
    const { status, body } = await service.advance(id, 'agent_complete', { output: 'Done by hand.' })
    expect([status, body.status]).toEqual([200, 'waiting_approval'])
    expect(body.result).toMatchObject({ output: 'Done by hand.' })
    await expect.poll(() => hub.received[0]?.gone).toBe(true)
    expect(await summary(id)).toHaveLength(2)
  })

  it('the hub’s answer wins over a later agent_complete, which is told so', async () => {
    await begin()
    const { id } = await service.create()
    await service.until(id, 'waiting_approval')
    const { status, body } = await service.advance(id, 'agent_complete', { output: 'Too late.' })
    expect([status, body.error.code]).toEqual([400, 'INVALID_STATE_TRANSITION'])
  })

  it('an answer that comes after an error was posted changes nothing', async () => {
    await begin()
    const gated = gate()
    hub.next(gated.behaviour)
    const { id } = await service.create()
    await expect.poll(() => hub.received.length).toBe(1)
    await service.advance(id, 'error', { error: 'The machine is on fire.' })
    gated.open()
    await service.until((await service.create()).id, 'waiting_approval')
    expect(await service.get(id)).toMatchObject({ status: 'failed', error: 'The machine is on fire.', result: null })
    expect(await summary(id)).toHaveLength(2)
  })
})

describe('cancelling', () => {
  it('a pending workflow never reaches the hub', async () => {
    await begin({ env: { MAX_CONCURRENT_PHASES: '1' } })
    hub.next(hang)
    await service.create()
    await expect.poll(() => hub.received.length).toBe(1)
    const { id } = await service.create()
    const { body } = await service.request('POST', `/workflows/${id}/cancel`, { reason: 'A mistake.' })
    expect(body).toMatchObject({
      status: 'failed',
      error: 'Cancelled by local: A mistake.',
      attempt: { state: 'cancelled' },
    })
    expect(await summary(id)).toEqual(['pending error failed phase_1 1'])
    expect(hub.received).toHaveLength(1)
  })

  it('a running one lets go of the hub and frees its slot', async () => {
    await begin({ env: { MAX_CONCURRENT_PHASES: '1' } })
    hub.next(hang)
    const { id } = await service.create()
    await expect.poll(() => hub.received.length).toBe(1)
    const next = await service.create()
    const { body } = await service.request('POST', `/workflows/${id}/cancel`)
    expect(body).toMatchObject({ status: 'failed', error: 'Cancelled by local.', attempt: { state: 'cancelled' } })
    await expect.poll(() => hub.received[0]?.gone).toBe(true)
    await service.until(next.id, 'waiting_approval')
  })

  it('one in review keeps what the agent brought', async () => {
    await begin()
    const { id } = await service.create()
    const { result } = await service.until(id, 'waiting_approval')
    const { body } = await service.request('POST', `/workflows/${id}/cancel`)
    expect(body).toMatchObject({ status: 'failed', result, attempt: { state: 'succeeded' } })
  })

  it.each(['cancel', 'advance'])('what has ended takes no %s', async (verb) => {
    await begin()
    const { id } = await service.create()
    await service.request('POST', `/workflows/${id}/cancel`)
    const body = { cancel: undefined, advance: { trigger: 'human_approved' } }[verb]
    const answer = await service.request('POST', `/workflows/${id}/${verb}`, body)
    expect([answer.status, answer.body.error.code]).toEqual([400, 'INVALID_STATE_TRANSITION'])
  })
})

describe('many at once', () => {
  it('run as many as MAX_CONCURRENT_PHASES says, the rest pending and then the oldest first', async () => {
    await begin({ env: { MAX_CONCURRENT_PHASES: '2' } })
    const gates = Array.from({ length: 6 }, () => gate())
    hub.next(...gates.map(({ behaviour }) => behaviour))
    const ids: string[] = []
    for (let i = 0; i < 6; i++) ids.push((await service.create()).id)
    await expect.poll(() => hub.received.length).toBe(2)
    const statuses = async () => Promise.all(ids.map(async (id) => (await service.get(id)).status))
    expect(await statuses()).toEqual(['in_progress', 'in_progress', 'pending', 'pending', 'pending', 'pending'])
    expect((await service.get(ids[2] ?? '')).attempt).toMatchObject({
      state: 'queued',
      reason: 'Waits for a free slot.',
    })
    for (const [i, { open }] of gates.entries()) {
      open()
      await service.until(ids[i] ?? '', 'waiting_approval')
    }
    expect(hub.received.map(({ body }) => body.parameters['workflow_id'])).toEqual(ids)
  })

  it('finish all, each called once', async () => {
    await begin({ env: { MAX_CONCURRENT_PHASES: '8' } })
    const created = await Promise.all(Array.from({ length: 60 }, () => service.create()))
    await Promise.all(created.map(({ id }) => service.until(id, 'waiting_approval')))
    expect(new Set(hub.received.map(({ key }) => key)).size).toBe(60)
    expect(hub.received).toHaveLength(60)
  })
})

describe('feature numbers', () => {
  it('never collide under concurrent creates, and go on beyond the hub’s highest', async () => {
    hub.highest_number = 41
    await begin()
    const created = await Promise.all(Array.from({ length: 50 }, () => service.create()))
    const numbers = created.map(({ feature_id }) => Number.parseInt(feature_id, 10)).toSorted((a, b) => a - b)
    expect(numbers).toEqual(Array.from({ length: 50 }, (_, i) => 42 + i))
  })

  it('are given also when the hub knows none', async () => {
    await begin()
    expect((await service.create()).feature_id).toMatch(/^001-/)
    expect((await service.create()).feature_id).toMatch(/^002-/)
  })
})

describe('artifacts', () => {
  const spec = new TextEncoder().encode('# Log in\n\n<script>alert(1)</script>\n')
  const digest = createHash('sha256').update(spec).digest('hex')
  const artifact = { path: 'specs/001-x/spec.md', digest, size: spec.byteLength, media_type: 'text/markdown' }

  it('are here before a review is asked for, and stay when the hub has gone', async () => {
    hub.artifacts.set(digest, spec)
    hub.usual = succeed({ data: { artifacts: [artifact] } })
    await begin()
    const { id } = await service.create()
    await service.until(id, 'waiting_approval')
    await hub.close()
    const [attempt] = await service.attempts(id)
    expect(attempt?.artifacts).toEqual([artifact])
    const raw = await service.request('GET', `/artifacts/${digest}`)
    expect(raw.text).toBe('# Log in\n\n<script>alert(1)</script>\n')
    expect(raw.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(raw.headers.get('content-disposition')).toMatch(/^attachment/)
    expect(raw.headers.get('x-content-type-options')).toBe('nosniff')
    const rendered = (await service.request('GET', `/artifacts/${digest}/rendered`)).body
    expect(rendered).toMatchObject({ kind: 'document', title: 'Log in', digest })
    expect(rendered.html).not.toContain('<script')
    hub = await startPlainHub()
  })

  it('that are not what was announced are not believed', async () => {
    hub.artifacts.set(digest, new TextEncoder().encode('# Something else'))
    hub.next(succeed({ data: { artifacts: [artifact] } }))
    await begin({ env: { PHASE_RETRY_BASE_MS: '60000' } })
    const { id } = await service.create()
    const { reason } = await service.untilBackingOff(id)
    expect((await service.get(id)).status).toBe('in_progress')
    expect(reason).toContain('another content of specs/001-x/spec.md')
    expect((await service.request('GET', `/artifacts/${digest}`)).status).toBe(404)
  })
})

describe('when phases are run outside from now on', () => {
  it('starts what the hub had left waiting for a slot', async () => {
    hub.usual = hang
    await begin({ env: { MAX_CONCURRENT_PHASES: '1' } })
    const first = await service.create()
    await service.until(first.id, 'in_progress')
    const second = await service.create()
    expect(second.status).toBe('pending')
    await service.stop()

    const { folder } = service
    service = await startService({ folder })
    expect(await service.get(second.id)).toMatchObject({
      status: 'in_progress',
      attempt: { state: 'running', reason: 'Waits for an external system to post agent_complete.' },
    })
    expect((await service.advance(second.id, 'agent_complete', { output: 'done' })).body.status).toBe(
      'waiting_approval',
    )
  })
})
