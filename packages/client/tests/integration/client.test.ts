import { afterEach, describe, expect, it } from 'vitest'

import { createClient, type Client } from '@orchestrator/client'
import { ServiceError } from '@orchestrator/contract'

import { attempt, digest, feature, feature_detail, history_item, workflow, workflow_id } from './documents.ts'
import { answerJson, startService } from './service.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()))
})

async function serviceWith(...parameters: Parameters<typeof startService>) {
  const service = await startService(...parameters)
  closers.push(() => service.close())
  return service
}

const page = (item: unknown) => ({ items: [item], next_cursor: 'next' })
const queue = {
  state: 'paused',
  paused_at: '2026-01-31T12:00:00.000Z',
  paused_by: 'Robin',
  reason: null,
  waiting: 3,
  oldest_waiting_at: null,
  at_work: 1,
  slots: 4,
  slots_per_agent: null,
}
const draft_id = '5f0c2b1e-6d0c-4c37-9a0e-222222222222'
const draft = {
  attempt_id: attempt.id,
  kind: 'comment' as const,
  path: 'specs/001-sign-in/spec.md',
  lines: { start: 3, end: 3 },
  quote: null,
  text: 'How often?',
  replacement: null,
}
const saved = { ...draft, id: draft_id, created_at: attempt.created_at, updated_at: attempt.created_at }
const viewed = { digest, viewed_at: attempt.created_at }
const rendered = {
  digest,
  path: draft.path,
  media_type: 'text/markdown',
  size: 7,
  kind: 'document',
  html: '<p>Text</p>',
  title: 'Text',
  reading_minutes: 0.1,
  blocks: [],
}
const compared = {
  base: digest,
  digest,
  path: draft.path,
  kind: 'document',
  html: '<p>Text</p>',
  changes: 0,
  added_lines: 0,
  removed_lines: 0,
  hunks: [],
}
const today = {
  name: 'day:2026-01-31',
  spent_usd: 12.5,
  limit_usd: 20,
  state: 'free',
  lifted_at: null,
  lifted_by: null,
  reason: null,
}
const budgets = { today, items: [], next_cursor: null }
const health = { status: 'healthy', version: '1.0.0', uptime_seconds: 3, reasons: [] }

/** Every call: what it sends, and what it makes of the answer. */
const CALLS: [
  name: string,
  call: (client: Client) => Promise<unknown>,
  sent: { method: string; url: string; body: string },
  answer: unknown,
][] = [
  [
    'createWorkflow',
    (client) => client.createWorkflow({ workflow_type: 'specify', feature_description: 'Sign in with OAuth2' }),
    {
      method: 'POST',
      url: '/workflows',
      body: '{"workflow_type":"specify","feature_description":"Sign in with OAuth2"}',
    },
    workflow,
  ],
  [
    'getWorkflow',
    (client) => client.getWorkflow(workflow_id),
    { method: 'GET', url: `/workflows/${workflow_id}`, body: '' },
    workflow,
  ],
  ['getQueue', (client) => client.getQueue(), { method: 'GET', url: '/queue', body: '' }, queue],
  [
    'pauseQueue',
    (client) => client.pauseQueue({ reason: 'a new model' }),
    { method: 'POST', url: '/queue/pause', body: '{"reason":"a new model"}' },
    queue,
  ],
  ['listBudgets', (client) => client.listBudgets(), { method: 'GET', url: '/budgets', body: '' }, budgets],
  [
    'liftBudget',
    (client) => client.liftBudget({ feature_id: feature.id, limit_usd: 20, reason: 'worth it' }),
    { method: 'POST', url: '/budgets/lift', body: '{"feature_id":"001-sign-in","limit_usd":20,"reason":"worth it"}' },
    budgets.today,
  ],
  [
    'eraseWords',
    (client) => client.eraseWords({ name: 'Robin' }),
    { method: 'POST', url: '/audit/erase', body: '{"name":"Robin"}' },
    { pseudonym: 'erased-00000000', history_rows: 2, comments: 3, answers: 0 },
  ],
  ['resumeQueue', (client) => client.resumeQueue(), { method: 'POST', url: '/queue/resume', body: '' }, queue],
  [
    'getWorkflow with an id that is a path',
    (client) => client.getWorkflow('../health?x'),
    { method: 'GET', url: '/workflows/..%2Fhealth%3Fx', body: '' },
    workflow,
  ],
  [
    'listWorkflows',
    (client) => client.listWorkflows({ status: 'waiting_approval', q: 'sign in & out', limit: 20 }),
    { method: 'GET', url: '/workflows?status=waiting_approval&q=sign+in+%26+out&limit=20', body: '' },
    page(workflow),
  ],
  [
    'advanceWorkflow',
    (client) => client.advanceWorkflow(workflow_id, { trigger: 'human_approved', phase_result: { approved: true } }),
    {
      method: 'POST',
      url: `/workflows/${workflow_id}/advance`,
      body: '{"trigger":"human_approved","phase_result":{"approved":true}}',
    },
    workflow,
  ],
  [
    'cancelWorkflow',
    (client) => client.cancelWorkflow(workflow_id),
    { method: 'POST', url: `/workflows/${workflow_id}/cancel`, body: '{}' },
    workflow,
  ],
  [
    'retryWorkflow',
    (client) => client.retryWorkflow(workflow_id),
    { method: 'POST', url: `/workflows/${workflow_id}/retry`, body: '' },
    workflow,
  ],
  [
    'listHistory',
    (client) => client.listHistory(workflow_id, { cursor: 'c' }),
    { method: 'GET', url: `/workflows/${workflow_id}/history?cursor=c`, body: '' },
    page(history_item),
  ],
  [
    'listAttempts',
    (client) => client.listAttempts(workflow_id),
    { method: 'GET', url: `/workflows/${workflow_id}/attempts`, body: '' },
    page(attempt),
  ],
  [
    'listDrafts',
    (client) => client.listDrafts(workflow_id),
    { method: 'GET', url: `/workflows/${workflow_id}/drafts`, body: '' },
    page(saved),
  ],
  [
    'saveDraft',
    (client) => client.saveDraft(workflow_id, draft_id, { ...draft, attempt_id: attempt.id }),
    { method: 'PUT', url: `/workflows/${workflow_id}/drafts/${draft_id}`, body: JSON.stringify(draft) },
    saved,
  ],
  [
    'listViewed',
    (client) => client.listViewed(workflow_id),
    { method: 'GET', url: `/workflows/${workflow_id}/viewed`, body: '' },
    page(viewed),
  ],
  [
    'getRendered',
    (client) => client.getRendered(digest),
    { method: 'GET', url: `/artifacts/${digest}/rendered`, body: '' },
    rendered,
  ],
  [
    'compareArtifacts',
    (client) => client.compareArtifacts(digest, digest, { by: 'lines' }),
    { method: 'GET', url: `/artifacts/${digest}/diff/${digest}?by=lines`, body: '' },
    compared,
  ],
  ['listFeatures', (client) => client.listFeatures(), { method: 'GET', url: '/features', body: '' }, page(feature)],
  [
    'getFeature',
    (client) => client.getFeature('001-sign-in'),
    { method: 'GET', url: '/features/001-sign-in', body: '' },
    feature_detail,
  ],
  ['getHealth', (client) => client.getHealth(), { method: 'GET', url: '/health', body: '' }, health],
]

describe('the client', () => {
  it.each(CALLS)('%s asks as the API wants it and answers the document', async (_name, call, sent, answer) => {
    const service = await serviceWith((_received, response) => answerJson(response, 200, answer))
    await expect(call(createClient({ base_url: service.base_url }))).resolves.toEqual(answer)
    expect(service.received).toMatchObject([sent])
  })

  it.each([
    ['deleteDraft', (client: Client) => client.deleteDraft(workflow_id, draft_id), 'DELETE', `drafts/${draft_id}`],
    ['markViewed', (client: Client) => client.markViewed(workflow_id, digest), 'PUT', `viewed/${digest}`],
    ['unmarkViewed', (client: Client) => client.unmarkViewed(workflow_id, digest), 'DELETE', `viewed/${digest}`],
  ] as const)('%s wants no content, and takes nothing else for it', async (_name, call, method, path) => {
    const done = await serviceWith((_received, response) => response.writeHead(204).end())
    await expect(call(createClient({ base_url: done.base_url }))).resolves.toBeUndefined()
    expect(done.received).toMatchObject([{ method, url: `/workflows/${workflow_id}/${path}`, body: '' }])
    const proxy = await serviceWith((_received, response) => response.writeHead(502).end('<h1>Bad gateway</h1>'))
    await expect(call(createClient({ base_url: proxy.base_url }))).rejects.toMatchObject({ code: 'UNAVAILABLE' })
  })

  it('sends its key, and application/json with a body only', async () => {
    const service = await serviceWith((_received, response) => answerJson(response, 200, workflow))
    const client = createClient({ base_url: `${service.base_url}/`, key: 'ok_1_secret' })
    await client.cancelWorkflow(workflow_id)
    await client.retryWorkflow(workflow_id)
    expect(service.received.map((one) => one.headers['authorization'])).toEqual([
      'Bearer ok_1_secret',
      'Bearer ok_1_secret',
    ])
    expect(service.received.map((one) => one.headers['content-type'])).toEqual(['application/json', undefined])
  })

  it('keeps a path of the base', async () => {
    const service = await serviceWith((_received, response) => answerJson(response, 200, health))
    await createClient({ base_url: `${service.base_url}/orchestrator` }).getHealth()
    expect(service.received).toMatchObject([{ url: '/orchestrator/health' }])
  })

  it('getArtifact answers the bytes', async () => {
    const bytes = Uint8Array.from([0, 255, 10, 13])
    const service = await serviceWith((_received, response) => response.writeHead(200).end(bytes))
    const client = createClient({ base_url: service.base_url })
    await expect(client.getArtifact(digest)).resolves.toEqual(bytes)
    expect(service.received).toMatchObject([{ url: `/artifacts/${digest}` }])
  })

  it('takes the health document of a service that is unhealthy', async () => {
    const unhealthy = { ...health, status: 'unhealthy', reasons: ['The disk is full.'] }
    const service = await serviceWith((_received, response) => answerJson(response, 503, unhealthy))
    await expect(createClient({ base_url: service.base_url }).getHealth()).resolves.toEqual(unhealthy)
  })
})

describe('an error', () => {
  it('of the service keeps its code, sentence and details', async () => {
    const error = {
      code: 'VALIDATION_ERROR',
      message: 'feature_description must be at least 10 characters long.',
      details: [{ field: 'feature_description', message: 'must be at least 10 characters long' }],
    }
    const service = await serviceWith((_received, response) => answerJson(response, 422, { error }))
    const call = createClient({ base_url: service.base_url }).createWorkflow({
      workflow_type: 'specify',
      feature_description: 'short',
    })
    await expect(call).rejects.toThrow(ServiceError)
    await expect(call).rejects.toMatchObject(error)
  })

  it('of the service is also told of an artifact', async () => {
    const error = { code: 'ARTIFACT_NOT_FOUND', message: 'There is no such artifact.' }
    const service = await serviceWith((_received, response) => answerJson(response, 404, { error }))
    await expect(createClient({ base_url: service.base_url }).getArtifact(digest)).rejects.toMatchObject(error)
  })

  it.each([
    ['a page of a proxy', 502, '<h1>Bad gateway</h1>'],
    ['a document of another shape', 200, '{"hello":"world"}'],
    ['half a document', 200, '{"id":'],
    ['nothing', 200, ''],
  ])('is UNAVAILABLE when the answer is %s', async (_name, status, body) => {
    const service = await serviceWith((_received, response) => response.writeHead(status).end(body))
    await expect(createClient({ base_url: service.base_url }).getWorkflow(workflow_id)).rejects.toMatchObject({
      name: 'ServiceError',
      code: 'UNAVAILABLE',
      message: `What answers at ${service.base_url}/ (status ${status}) is not the service that was expected there.`,
    })
  })

  it('is UNAVAILABLE, says so and keeps the cause when nothing listens', async () => {
    // One that no system hands out, and no program of today listens on.
    const port = 2
    const call = createClient({ base_url: `http://127.0.0.1:${port}` }).getHealth()
    await expect(call).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: `The service at http://127.0.0.1:${port}/ cannot be reached: nothing listens there.`,
      cause: expect.any(TypeError),
    })
  })

  it('is UNAVAILABLE when the connection breaks in the middle of the answer', async () => {
    const service = await serviceWith((_received, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"id":', () => response.destroy())
    })
    await expect(createClient({ base_url: service.base_url }).getWorkflow(workflow_id)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    })
  })

  it('of the caller, who aborted, stays an abort', async () => {
    const service = await serviceWith(() => {})
    const abort = new AbortController()
    const call = createClient({ base_url: service.base_url }).getHealth({ signal: abort.signal })
    await expect.poll(() => service.received.length).toBe(1)
    abort.abort()
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
  })
})
