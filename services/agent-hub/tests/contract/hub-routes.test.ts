import { rmSync } from 'node:fs'
import { join } from 'node:path'

import {
  askResponseSchema,
  errorEnvelopeSchema,
  escalationPageSchema,
  escalationSchema,
  exchangePageSchema,
  healthSchema,
  hubAgentsSchema,
  hubSessionSchema,
  hubWorkspaceSchema,
  invocationSchema,
  invokeResponseSchema,
  repositoryFeatureSchema,
  workspacePageSchema,
} from '@orchestrator/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { temporaryFolder } from '../git-fixture.ts'
import { specify, startHubProcess, STUB, type HubProcess } from '../hub-process.ts'

const TOKEN = 'a-token-of-this-test'
const UNKNOWN = '6f9619ff-8b86-4d01-b42d-00cf4fc964ff'
const NOWHERE = '0'.repeat(64)
const JSON_TYPE = { 'content-type': 'application/json' }

const folder = temporaryFolder()
let hub: HubProcess

beforeAll(async () => {
  hub = await startHubProcess({ folder: folder.path, env: { AGENT_HUB_TOKEN: TOKEN } })
})
afterAll(async () => {
  await hub.stop()
  await folder.remove()
})

async function errorOf(response: Response) {
  return { status: response.status, code: errorEnvelopeSchema.parse(await response.json()).error.code }
}

describe('POST /invoke/{agent}', () => {
  it('200 with the agent’s answer', async () => {
    const response = await hub.invoke('demo', specify([], { feature_id: '010-plain' }))
    expect(response.status).toBe(200)
    const answer = invokeResponseSchema.parse(await response.json())
    expect(answer.success).toBe(true)
    expect(answer.result?.files_created).toContain('specs/010-plain/spec.md')
  })

  it('202 when asked not to wait', async () => {
    const response = await hub.invoke('default', specify([], { feature_id: '011-async' }), { prefer: 'respond-async' })
    expect(response.status).toBe(202)
    const invocation = invocationSchema.parse(await response.json())
    expect(response.headers.get('location')).toBe(`/invocations/${invocation.id}`)
    expect(response.headers.get('preference-applied')).toBe('respond-async')
    expect(invocation.agent).toBe('demo')
  })

  it('504 when the time is up', async () => {
    const body = specify(['hang'], { feature_id: '012-slow', parameters: { timeout_seconds: 0.5 } })
    expect(await errorOf(await hub.invoke(STUB, body))).toEqual({ status: 504, code: 'AGENT_TIMEOUT' })
  })

  it.each([
    ['an unknown agent', 'nobody', specify(), 404, 'AGENT_NOT_FOUND'],
    ['an agent that is not installed', 'copilot', specify(), 503, 'AGENT_UNAVAILABLE'],
    ['an unknown workspace', 'demo', specify([], { parameters: { workspace: 'other' } }), 404, 'WORKSPACE_NOT_FOUND'],
    ['a name that is a path', '..%2Fx', specify(), 422, 'VALIDATION_ERROR'],
    ['an unknown field', 'demo', { ...specify(), surprise: 1 }, 422, 'VALIDATION_ERROR'],
    ['a bad feature id', 'demo', specify([], { feature_id: '../../etc' }), 422, 'VALIDATION_ERROR'],
    ['an unknown phase', 'demo', specify([], { phase: 'phase_9' }), 422, 'VALIDATION_ERROR'],
    ['a time no timer holds', 'demo', specify([], { parameters: { timeout_seconds: 1e9 } }), 422, 'VALIDATION_ERROR'],
    ['nothing', 'demo', {}, 422, 'VALIDATION_ERROR'],
  ])('refuses %s', async (_, agent, body, status, code) => {
    expect(await errorOf(await hub.invoke(agent, body))).toEqual({ status, code })
  })

  it('422 for a key that was used for something else', async () => {
    const headers = { prefer: 'respond-async', 'idempotency-key': 'key-1' }
    const first = await hub.invoke('demo', specify([], { feature_id: '013-key' }), headers)
    expect(first.status).toBe(202)
    const other = await hub.invoke('demo', specify([], { feature_id: '014-key' }), headers)
    expect(await errorOf(other)).toEqual({ status: 422, code: 'IDEMPOTENCY_MISMATCH' })
  })

  it('422 for a key that is none', async () => {
    const response = await hub.invoke('demo', specify(), { 'idempotency-key': 'with blank' })
    expect(await errorOf(response)).toEqual({ status: 422, code: 'VALIDATION_ERROR' })
  })

  it.each([
    ['broken JSON', { headers: JSON_TYPE, body: '{' }, 400, 'MALFORMED_JSON'],
    ['another type', { headers: { 'content-type': 'text/plain' }, body: '{}' }, 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['too much', { headers: JSON_TYPE, body: JSON.stringify('x'.repeat(1_100_000)) }, 413, 'BODY_TOO_LARGE'],
  ])('refuses %s', async (_, init, status, code) => {
    expect(await errorOf(await hub.fetch('/invoke/demo', { method: 'POST', ...init }))).toEqual({ status, code })
  })
})

describe('an invocation', () => {
  it('200 for itself, its events, its cancel and its artifacts', async () => {
    const { id } = await hub.start('demo', specify([], { feature_id: '020-all' }))
    const events = await hub.events(id)
    expect(events.at(-1)).toMatchObject({ type: 'invocation.finished', data: { id, status: 'succeeded' } })
    const cancelled = await hub.fetch(`/invocations/${id}/cancel`, { method: 'POST' })
    expect(cancelled.status).toBe(200)
    const invocation = invocationSchema.parse(await cancelled.json())
    expect(invocation.status).toBe('succeeded')
    const artifact = invocation.response!.result!.data!.artifacts![0]!
    const file = await hub.fetch(`/artifacts/${artifact.digest}`)
    expect(file.status).toBe(200)
    expect(file.headers.get('content-type')).toBe('application/octet-stream')
    expect(file.headers.get('content-disposition')).toMatch(/^attachment/)
    expect(file.headers.get('x-content-type-options')).toBe('nosniff')
    expect((await file.bytes()).byteLength).toBe(artifact.size)
  })

  it.each([
    ['GET', `/invocations/${UNKNOWN}`, 404, 'INVOCATION_NOT_FOUND'],
    ['GET', `/invocations/${UNKNOWN}/events`, 404, 'INVOCATION_NOT_FOUND'],
    ['POST', `/invocations/${UNKNOWN}/cancel`, 404, 'INVOCATION_NOT_FOUND'],
    ['GET', `/invocations/${UNKNOWN}/events?after=x`, 422, 'VALIDATION_ERROR'],
    ['GET', `/artifacts/${NOWHERE}`, 404, 'ARTIFACT_NOT_FOUND'],
    ['GET', '/artifacts/..%2F..%2Fetc%2Fpasswd', 422, 'VALIDATION_ERROR'],
    ['GET', '/workspaces/other', 404, 'WORKSPACE_NOT_FOUND'],
    ['GET', '/nowhere', 404, 'ROUTE_NOT_FOUND'],
    ['DELETE', '/agents', 405, 'METHOD_NOT_ALLOWED'],
    ['GET', '/invoke/demo', 405, 'METHOD_NOT_ALLOWED'],
  ])('%s %s is %i %s', async (method, path, status, code) => {
    expect(await errorOf(await hub.fetch(path, { method }))).toEqual({ status, code })
  })

  it.each(['GET /invocations/x', 'GET /invocations/x/events', 'POST /invocations/x/cancel'])(
    '%s is no id',
    async (route) => {
      const [method = '', path = ''] = route.split(' ')
      const { status } = await hub.fetch(path, { method })
      expect([400, 422]).toContain(status)
    },
  )
})

describe('what the hub has', () => {
  it('agents, of which the offline one serves until another is named', async () => {
    const agents = hubAgentsSchema.parse(await (await hub.fetch('/agents')).json())
    expect(agents.default).toBe('demo')
    expect(agents.items.find(({ name }) => name === 'copilot')).toMatchObject({ available: false })
  })

  it('one workspace', async () => {
    const workspace = hubWorkspaceSchema.parse(await (await hub.fetch('/workspaces/default')).json())
    expect(workspace).toMatchObject({ name: 'default', default_branch: 'main' })
  })

  it('workspaces, and what their repositories have of a feature', async () => {
    const { items } = workspacePageSchema.parse(await (await hub.fetch('/workspaces')).json())
    expect(items).toMatchObject([{ name: 'default', default: true }])
    const id = '031-known'
    await hub.invoke('demo', specify([], { feature_id: id }))
    const feature = repositoryFeatureSchema.parse(await (await hub.fetch(`/workspaces/default/features/${id}`)).json())
    expect(feature).toMatchObject({ feature_id: id, documents: expect.arrayContaining(['spec.md']) })
    expect(feature.description).toMatch(/^Log in/)
  })

  it.each([
    ['GET', '/workspaces/default/features/999-nothing', undefined, 404, 'FEATURE_NOT_FOUND'],
    ['GET', '/workspaces/other/features/001-login', undefined, 404, 'WORKSPACE_NOT_FOUND'],
    ['GET', '/workspaces/default/features/no-number', undefined, 422, 'VALIDATION_ERROR'],
    ['POST', '/workspaces/default/features/999-nothing/push', {}, 404, 'FEATURE_NOT_FOUND'],
    ['POST', '/workspaces/other/features/001-login/push', {}, 404, 'WORKSPACE_NOT_FOUND'],
    ['POST', '/workspaces/default/features/001-login/push', { remote: '--x' }, 422, 'VALIDATION_ERROR'],
    ['POST', '/workspaces/default/features/001-login/push', { force: true }, 422, 'VALIDATION_ERROR'],
  ])('%s %s with %j is refused', async (method, path, body, status, code) => {
    const sent = body === undefined ? {} : { headers: JSON_TYPE, body: JSON.stringify(body) }
    expect(await errorOf(await hub.fetch(path, { method, ...sent }))).toEqual({ status, code })
  })

  it('no push while an agent is at work on the feature', async () => {
    const id = '032-busy'
    const { id: invocation } = await hub.start(STUB, specify(['hang'], { feature_id: id }))
    const push = { method: 'POST', headers: JSON_TYPE, body: '{}' }
    const answer = await hub.fetch(`/workspaces/default/features/${id}/push`, push)
    expect(await errorOf(answer)).toEqual({ status: 409, code: 'FEATURE_BUSY' })
    await hub.fetch(`/invocations/${invocation}/cancel`, { method: 'POST' })
    await hub.finish(invocation)
  })

  it('figures', async () => {
    const answer = await hub.fetch('/metrics')
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/plain')])
    const text = await answer.text()
    expect(text).toMatch(/^hub_running \d$/m)
    // What was begun above without waiting for it comes to its end.
    await expect.poll(async () => (await hub.fetch('/metrics')).text()).toMatch(/^hub_running 0$/m)
  })

  it('documentation', async () => {
    expect((await hub.fetch('/docs')).status).toBe(200)
    expect((await hub.fetch('/redoc')).status).toBe(200)
    const { paths } = (await (await hub.fetch('/openapi.json')).json()) as { paths: object }
    expect(Object.keys(paths).sort()).toEqual([
      '/agents',
      '/artifacts/{digest}',
      '/ask/{topic}',
      '/escalations',
      '/escalations/{id}',
      '/exchanges',
      '/health',
      '/invocations/cancel',
      '/invocations/{id}',
      '/invocations/{id}/cancel',
      '/invocations/{id}/events',
      '/invoke/{agent}',
      '/metrics',
      '/sessions',
      '/sessions/{id}',
      '/workspaces',
      '/workspaces/{name}',
      '/workspaces/{name}/features/{feature_id}',
      '/workspaces/{name}/features/{feature_id}/push',
    ])
  })
})

describe('who may ask', () => {
  it.each([
    ['POST', '/invoke/demo'],
    ['GET', `/invocations/${UNKNOWN}`],
    ['GET', `/invocations/${UNKNOWN}/events`],
    ['POST', `/invocations/${UNKNOWN}/cancel`],
    ['POST', '/invocations/cancel'],
    ['GET', '/metrics'],
    ['GET', '/agents'],
    ['GET', `/artifacts/${NOWHERE}`],
    ['GET', '/workspaces/default'],
    ['GET', '/workspaces'],
    ['GET', '/workspaces/default/features/001-login'],
    ['POST', '/workspaces/default/features/001-login/push'],
    ['GET', '/nowhere/health'],
  ])('%s %s wants the token', async (method, path) => {
    for (const authorization of ['', 'Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`]) {
      const response = await fetch(`${hub.url}${path}`, { method, headers: { authorization } })
      expect(await errorOf(response)).toEqual({ status: 401, code: 'UNAUTHORIZED' })
    }
  })

  it('anybody, how it is', async () => {
    const response = await fetch(`${hub.url}/health`)
    expect(response.status).toBe(200)
    expect(healthSchema.parse(await response.json())).toMatchObject({ status: 'healthy', reasons: [] })
  })
})

describe('GET /health', () => {
  it('is degraded, with the reason, when a real agent runs without walls', async () => {
    const own = temporaryFolder()
    const other = await startHubProcess({ folder: own.path, env: { AGENT_NAME: STUB } })
    const health = healthSchema.parse(await (await other.fetch('/health')).json())
    await other.stop()
    await own.remove()
    expect(health.status).toBe('degraded')
    expect(health.reasons.join()).toContain('HUB_SANDBOX=off')
  })

  it('is degraded when the named agent cannot run', async () => {
    const own = temporaryFolder()
    const other = await startHubProcess({ folder: own.path, env: { AGENT_NAME: 'copilot' } })
    const health = healthSchema.parse(await (await other.fetch('/health')).json())
    await other.stop()
    await own.remove()
    expect(health.status).toBe('degraded')
    expect(health.reasons.join()).toMatch(/install/i)
  })

  it('503 when the workspace is gone', async () => {
    const own = temporaryFolder()
    const other = await startHubProcess({ folder: own.path })
    rmSync(join(own.path, 'data/demo-workspace'), { recursive: true })
    const response = await other.fetch('/health')
    const health = healthSchema.parse(await response.json())
    await other.stop()
    await own.remove()
    expect(response.status).toBe(503)
    expect(health).toMatchObject({ status: 'unhealthy' })
    expect(health.reasons.join()).toMatch(/workspace cannot be read/)
  })
})

it('503 for a plain call whose hub stops', async () => {
  const own = temporaryFolder()
  const other = await startHubProcess({ folder: own.path })
  const key = { 'idempotency-key': 'k' }
  const answer = other.invoke(STUB, specify(['hang']), key)
  const { id } = await other.start(STUB, specify(['hang']), 'k')
  await expect.poll(async () => (await other.get(id)).status).toBe('running')
  const stopped = other.stop()
  expect(await errorOf(await answer)).toEqual({ status: 503, code: 'UNAVAILABLE' })
  expect(await stopped).toBe(0)
  await own.remove()
})

describe('conversations', () => {
  const post = async (path: string, body: object) =>
    hub.fetch(path, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) })

  it('200 for a question, whose answer the demo agent does not know', async () => {
    const response = await post('/ask/architecture', { question: 'Which database?', feature_id: '040-ask' })
    expect(response.status).toBe(200)
    const answer = askResponseSchema.parse(await response.json())
    expect(answer.status).toBe('pending_human')
    const escalation = await hub.fetch(`/escalations/${answer.escalation_id!}`)
    expect(escalationSchema.parse(await escalation.json())).toMatchObject({ status: 'pending' })
    const again = async () => post(`/escalations/${answer.escalation_id!}`, { action: 'confirm' })
    expect((await again()).status).toBe(200)
    expect(await errorOf(await again())).toEqual({ status: 400, code: 'INVALID_STATE_TRANSITION' })
  })

  it('201 for a session, 204 for its end', async () => {
    const response = await post('/sessions', { feature_id: '041-session', agent: 'demo' })
    expect(response.status).toBe(201)
    const session = hubSessionSchema.parse(await response.json())
    expect(response.headers.get('location')).toBe(`/sessions/${session.id}`)
    expect((await hub.fetch(`/sessions/${session.id}`, { method: 'DELETE' })).status).toBe(204)
    expect((await hub.fetch(`/sessions/${session.id}`, { method: 'DELETE' })).status).toBe(404)
  })

  it('200 for the lists', async () => {
    escalationPageSchema.parse(await (await hub.fetch('/escalations')).json())
    exchangePageSchema.parse(await (await hub.fetch('/exchanges?limit=1')).json())
  })

  const question = { question: 'Which?', feature_id: '042-x' }
  it.each([
    ['POST', '/ask/x', { ...question, session_id: UNKNOWN }, 404, 'SESSION_NOT_FOUND'],
    ['POST', '/ask/x', { ...question, surprise: 1 }, 422, 'VALIDATION_ERROR'],
    ['POST', '/ask/x', { ...question, question: '' }, 422, 'VALIDATION_ERROR'],
    ['POST', '/ask/..%2Fx', question, 422, 'VALIDATION_ERROR'],
    ['POST', '/sessions', { feature_id: '../x' }, 422, 'VALIDATION_ERROR'],
    ['POST', '/sessions', { feature_id: '042-x', agent: 'nobody' }, 404, 'AGENT_NOT_FOUND'],
    ['POST', '/sessions', { feature_id: '042-x', agent: 'copilot' }, 503, 'AGENT_UNAVAILABLE'],
    ['POST', '/sessions', { feature_id: '042-x', workspace: 'other' }, 404, 'WORKSPACE_NOT_FOUND'],
    ['POST', `/escalations/${UNKNOWN}`, { action: 'confirm' }, 404, 'ESCALATION_NOT_FOUND'],
    ['POST', `/escalations/${UNKNOWN}`, { action: 'correct' }, 422, 'VALIDATION_ERROR'],
    ['POST', `/escalations/${UNKNOWN}`, { action: 'approve' }, 422, 'VALIDATION_ERROR'],
    ['GET', `/escalations/${UNKNOWN}`, undefined, 404, 'ESCALATION_NOT_FOUND'],
    ['GET', '/escalations?status=open', undefined, 422, 'VALIDATION_ERROR'],
    ['GET', `/sessions/${UNKNOWN}`, undefined, 404, 'SESSION_NOT_FOUND'],
    ['GET', '/exchanges?cursor=x', undefined, 422, 'VALIDATION_ERROR'],
    ['GET', '/exchanges?limit=0', undefined, 422, 'VALIDATION_ERROR'],
  ])('refuses %s %s with %j', async (method, path, body, status, code) => {
    const init = body === undefined ? { method } : { method, headers: JSON_TYPE, body: JSON.stringify(body) }
    expect(await errorOf(await hub.fetch(path, init))).toEqual({ status, code })
  })
})
