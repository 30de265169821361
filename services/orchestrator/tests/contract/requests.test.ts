import { afterAll, describe, expect, it } from 'vitest'

import { rawRequest, requestText } from '../raw-request.ts'
import { DESCRIPTION, startService } from '../service.ts'

const service = await startService()
const host = new URL(service.url).host
afterAll(() => service.close())

const valid = { workflow_type: 'specify', feature_description: DESCRIPTION }
const post = (body: unknown, headers?: Record<string, string>) => service.request('POST', '/workflows', body, headers)
const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) })

describe('the seed’s lines', () => {
  it('create, get, advance and health work as they stand there', async () => {
    const created = await post(
      `{
    "workflow_type": "specify",
    "feature_description": "Add user authentication with OAuth2",
    "context": {"priority": "P1"}
  }`,
    )
    expect(created.status).toBe(201)
    expect(created.headers.get('location')).toBe(`/workflows/${created.body.id}`)
    expect(created.body).toMatchObject({
      workflow_type: 'specify',
      feature_description: 'Add user authentication with OAuth2',
      context: { priority: 'P1' },
      current_phase: 'phase_1',
      result: null,
      error: null,
      completed_at: null,
    })
    expect(Object.keys(created.body)).toEqual(
      expect.arrayContaining([
        'id',
        'workflow_type',
        'status',
        'feature_id',
        'feature_description',
        'current_phase',
        'context',
        'result',
        'error',
        'created_at',
        'updated_at',
        'completed_at',
      ]),
    )
    expect(created.body.created_at).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)

    const path = `/workflows/${created.body.id}`
    expect((await service.request('GET', path)).body).toEqual(created.body)
    await service.advance(created.body.id, 'agent_complete', { output: 'Done.' })

    const advanced = await service.request(
      'POST',
      `${path}/advance`,
      `{
    "trigger": "human_approved",
    "phase_result": {"approved": true}
  }`,
    )
    expect(advanced.status).toBe(200)
    expect(advanced.body).toMatchObject({ status: 'in_progress', current_phase: 'phase_2' })
    expect((await service.request('GET', '/health')).status).toBe(200)
    expect(await service.troubles()).toEqual([])
  })
})

describe('bad input', () => {
  it.each([
    ['no body', undefined, 'body'],
    ['an empty object', {}, 'workflow_type'],
    ['a list', [], 'body'],
    ['a text', '"specify"', 'body'],
    ['null', 'null', 'body'],
    ['no type', { feature_description: DESCRIPTION }, 'workflow_type'],
    ['no description', { workflow_type: 'specify' }, 'feature_description'],
    ['a short description', { ...valid, feature_description: 'too short' }, 'feature_description'],
    ['blanks for a description', { ...valid, feature_description: ' '.repeat(50) }, 'feature_description'],
    ['an overlong description', { ...valid, feature_description: 'x'.repeat(20_001) }, 'feature_description'],
    ['a description that is a number', { ...valid, feature_description: 1_234_567_890 }, 'feature_description'],
    ['a type that is a number', { ...valid, workflow_type: 1 }, 'workflow_type'],
    ['a type that is null', { ...valid, workflow_type: null }, 'workflow_type'],
    ['a context that is a text', { ...valid, context: 'P1' }, 'context'],
    ['a context that is a list', { ...valid, context: [] }, 'context'],
    ['an agent that is an option', { ...valid, agent: '--help' }, 'agent'],
    ['an agent that is a path', { ...valid, agent: '../x' }, 'agent'],
    ['a model that is an option', { ...valid, model: '--yolo' }, 'model'],
    ['a workspace that is a path', { ...valid, workspace: '/etc' }, 'workspace'],
    ['a feature id that is none', { ...valid, feature_id: '../../etc' }, 'feature_id'],
    ['an unknown field', { ...valid, status: 'completed' }, 'status'],
    ['an id of its own', { ...valid, id: '00000000-0000-4000-8000-000000000000' }, 'id'],
    ['NUL', { ...valid, feature_description: `${DESCRIPTION}\0` }, 'feature_description'],
    [
      'half a character',
      `{"workflow_type":"specify","feature_description":"${DESCRIPTION} \\ud800"}`,
      'feature_description',
    ],
    ['too deep a nesting', { ...valid, context: nested(40) }, 'body'],
  ])('%s is 422 and named', async (_what, body, field) => {
    const answer = await post(body)
    expect(answer.status).toBe(422)
    expect(answer.body.error.code).toBe('VALIDATION_ERROR')
    expect(answer.body.error.details.map((detail: { field: string }) => detail.field)).toContain(field)
    expect(answer.body.error.message).toContain(field)
  })

  it.each([
    [{ trigger: 'human_approved', phase_result: { approved: 'yes' } }, 'phase_result.approved'],
    [{ trigger: 'human_approved', phase_result: 'fine' }, 'phase_result'],
    [{ trigger: 'human_rejected', phase_result: { comments: '' } }, 'phase_result.comments'],
    [{ trigger: 'human_rejected', phase_result: { comments: [{ path: 'spec.md' }] } }, 'phase_result.comments'],
    [{ trigger: 'human_rejected', phase_result: { abort: 1 } }, 'phase_result.abort'],
    [{ trigger: 'human_approved', phase_result: { digest: 'abc' } }, 'phase_result.digest'],
    [{ phase_result: {} }, 'trigger'],
    [{ trigger: 7 }, 'trigger'],
    [{ trigger: 'human_approved', approved_by: 'Robin' }, 'approved_by'],
  ])('%j on /advance is 422 and names %s', async (body, field) => {
    const { id } = await service.create()
    const answer = await service.request('POST', `/workflows/${id}/advance`, body)
    expect([answer.status, answer.body.error.code]).toEqual([422, 'VALIDATION_ERROR'])
    expect(answer.body.error.details[0].field).toMatch(new RegExp(`^${field.replace('.', '\\.')}`))
    expect((await service.history(id)).length).toBe(1)
  })

  it.each(['deploy', 'SPECIFY', 'specify ', '', '__proto__', 'constructor'])(
    'type %j is 400',
    async (workflow_type) => {
      const answer = await post({ ...valid, workflow_type })
      expect([answer.status, answer.body.error.code]).toEqual([400, 'INVALID_WORKFLOW_TYPE'])
    },
  )

  it.each(['start', 'approve', 'human_approved ', ''])('trigger %j is 400', async (trigger) => {
    const { id } = await service.create()
    const answer = await service.advance(id, trigger)
    expect([answer.status, answer.body.error.code]).toEqual([400, 'INVALID_TRIGGER'])
  })

  it.each(['1', 'x', '00000000000040008000000000000000', '0'.repeat(36), '..%2f..%2fetc'])(
    'id %j is 400',
    async (id) => {
      const answer = await service.request('GET', `/workflows/${id}`)
      expect([answer.status, answer.body.error.code]).toEqual([400, 'INVALID_UUID'])
    },
  )

  it.each(['human_approved', 'human_rejected'])(
    '%s while the agent works is 400 and says what is possible',
    async (trigger) => {
      const { id } = await service.create()
      const answer = await service.advance(id, trigger)
      expect([answer.status, answer.body.error.code]).toEqual([400, 'INVALID_STATE_TRANSITION'])
      expect(answer.body.error.message).toContain('agent_complete or error')
    },
  )

  it.each([
    ['{', 'MALFORMED_JSON', 400],
    ['{"a":}', 'MALFORMED_JSON', 400],
    ["{'workflow_type':'specify'}", 'MALFORMED_JSON', 400],
    ['{"__proto__":{"admin":true}}', 'VALIDATION_ERROR', 422],
  ])('%s is %s', async (body, code, status) => {
    const answer = await post(body)
    expect([answer.status, answer.body.error.code]).toEqual([status, code])
  })

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data',
    'application/json; charset=latin1',
    'application/jsonx',
  ])('content type %s is 415', async (type) => {
    const answer = await post(JSON.stringify(valid), { 'content-type': type })
    expect([answer.status, answer.body.error.code]).toEqual([415, 'UNSUPPORTED_MEDIA_TYPE'])
  })

  it('a body over 1 MiB is 413, and one below is read', async () => {
    const padded = (bytes: number) => JSON.stringify(valid).padEnd(bytes, ' ')
    expect((await post(padded(1024 * 1024))).status).toBe(201)
    const answer = await post(padded(1024 * 1024 + 1))
    expect([answer.status, answer.body.error.code]).toEqual([413, 'BODY_TOO_LARGE'])
  })

  it('an unknown path is 404 with a code of its own', async () => {
    for (const path of ['/workflow', '/workflows/x/y/z', '/health/x', '/.env', '/admin']) {
      const answer = await service.request('GET', path)
      expect([answer.status, answer.body.error.code]).toEqual([404, 'ROUTE_NOT_FOUND'])
    }
  })

  it('never tells a stack', async () => {
    for (const text of [
      requestText('GET', '/%zz', { host }),
      'nonsense\r\n\r\n',
      requestText('GET', '/workflows/%00', { host }),
    ]) {
      const answer = await rawRequest(service.url, text)
      expect(answer.status).toBeGreaterThanOrEqual(400)
      expect(answer.status).toBeLessThan(500)
      expect(answer.text).not.toMatch(/node_modules|\.ts|at [A-Z]/)
    }
  })
})

describe('reviews', () => {
  const reviewable = async () => {
    const { id } = await service.create()
    await service.advance(id, 'agent_complete', { output: `Done ${id}.` })
    return service.get(id)
  }

  it('of what was seen count, of anything else they are stale', async () => {
    const { id, attempt } = await reviewable()
    const stale = await service.advance(id, 'human_approved', { digest: '0'.repeat(64) })
    expect([stale.status, stale.body.error.code]).toEqual([409, 'STALE_REVIEW'])
    expect((await service.advance(id, 'human_approved', { digest: attempt?.digest })).status).toBe(200)
  })

  it.each([
    ['human_approved', false],
    ['human_rejected', true],
  ])('%s cannot come with approved: %s', async (trigger, approved) => {
    const { id } = await reviewable()
    const answer = await service.advance(id, trigger, { approved })
    expect([answer.status, answer.body.error.code]).toEqual([422, 'VALIDATION_ERROR'])
    expect((await service.get(id)).status).toBe('waiting_approval')
  })

  it('are decided once, however many come at the same time', async () => {
    const { id, attempt } = await reviewable()
    const answers = await Promise.all(
      Array.from({ length: 100 }, () =>
        service.advance(id, 'human_approved', { approved: true, digest: attempt?.digest }),
      ),
    )
    const statuses = answers.map((answer) => answer.status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(statuses.filter((status) => status === 400)).toHaveLength(99)
    const history = await service.history(id)
    expect(history.map(({ trigger }) => trigger)).toEqual(['start', 'agent_complete', 'human_approved'])
    expect(await service.attempts(id)).toHaveLength(2)
  })

  it('keep their comments with the attempt, as they were', async () => {
    const { id } = await reviewable()
    const comments = [
      { path: 'specs/001-x/spec.md', lines: { start: 3, end: 5 }, quote: 'fast', text: 'How fast? <b>&amp;</b> 🚀' },
      { text: 'Name the roles.' },
    ]
    await service.advance(id, 'human_rejected', { comments })
    const [first, second] = await service.attempts(id)
    expect(first?.review).toMatchObject({
      verdict: 'changes_requested',
      actor: 'local',
      digest: first?.digest,
      threads: [
        { ...comments[0], fate: 'open', reply: null },
        { path: null, lines: null, quote: null, text: 'Name the roles.', fate: 'open' },
      ],
    })
    expect(second).toMatchObject({ number: 2, phase: 'phase_1', state: 'running', review: null })
  })
})

describe('Idempotency-Key', () => {
  const once = { 'idempotency-key': 'create-1' }

  it('creates once, whoever asks meanwhile is told to ask again, and then gets the same answer', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(valid, once)))
    const created = answers.filter((answer) => answer.status === 201)
    const refused = answers.filter((answer) => answer.status !== 201)
    expect(new Set(created.map((answer) => answer.text)).size).toBe(1)
    expect(refused.map((answer) => [answer.status, answer.body.error.code, answer.headers.get('retry-after')])).toEqual(
      refused.map(() => [409, 'IDEMPOTENCY_IN_FLIGHT', '1']),
    )
    const again = await post(valid, once)
    expect([again.status, again.text]).toEqual([201, created[0]?.text])
    const { feature_id } = again.body
    expect((await service.request('GET', `/features/${feature_id}`)).body.workflows).toHaveLength(1)
  })

  it('knows the same body with its fields in another order', async () => {
    const first = await post({ ...valid }, { 'idempotency-key': 'order' })
    const turned = Object.fromEntries(Object.entries(valid).toReversed())
    expect((await post(turned, { 'idempotency-key': 'order' })).text).toBe(first.text)
  })

  it('refuses another body', async () => {
    const answer = await post({ ...valid, context: { priority: 'P2' } }, once)
    expect([answer.status, answer.body.error.code]).toEqual([422, 'IDEMPOTENCY_MISMATCH'])
  })

  it('counts for its route alone', async () => {
    const { id } = await service.create()
    const answer = await service.request('POST', `/workflows/${id}/cancel`, undefined, once)
    expect([answer.status, answer.body.id]).toEqual([200, id])
  })

  it('gives the first answer to a decision again, although it could not be taken twice', async () => {
    const { id } = await service.create()
    const decide = () =>
      service.request('POST', `/workflows/${id}/advance`, { trigger: 'agent_complete' }, { 'idempotency-key': 'a' })
    const first = await decide()
    expect(first.status).toBe(200)
    await service.advance(id, 'human_approved')
    expect((await decide()).text).toBe(first.text)
    expect(await service.history(id)).toHaveLength(3)
  })

  it('remembers no refusal', async () => {
    const { id } = await service.create()
    const approve = () =>
      service.request('POST', `/workflows/${id}/advance`, { trigger: 'human_approved' }, { 'idempotency-key': 'b' })
    expect((await approve()).status).toBe(400)
    await service.advance(id, 'agent_complete')
    expect((await approve()).status).toBe(200)
  })

  it.each(['', 'x'.repeat(201)])('%j is none', async (key) => {
    expect((await post(valid, { 'idempotency-key': key })).status).toBe(422)
  })
})

describe('continuing a feature', () => {
  it('inherits its description and its workspace', async () => {
    const { id, feature_id } = await service.create()
    await service.request('POST', `/workflows/${id}/cancel`)
    const answer = await post({ workflow_type: 'plan', feature_id })
    expect(answer.status).toBe(201)
    expect(answer.body).toMatchObject({ feature_id, feature_description: DESCRIPTION, workspace: 'default' })
  })

  it('is refused in another workspace', async () => {
    const { feature_id } = await service.create()
    const answer = await post({ workflow_type: 'plan', feature_id, workspace: 'other' })
    expect(answer.body.error).toMatchObject({ code: 'VALIDATION_ERROR', details: [{ field: 'workspace' }] })
  })

  it('is refused while a workflow of it has not ended, and possible afterwards', async () => {
    const { id, feature_id } = await service.create()
    const busy = await post({ workflow_type: 'plan', feature_id })
    expect([busy.status, busy.body.error.code]).toEqual([409, 'FEATURE_BUSY'])
    expect(busy.body.error.message).toContain(id)
  })
})
