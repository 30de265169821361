import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { startPlainHub, type PlainHub } from '../plain-hub.ts'
import { DESCRIPTION, startService, type Service } from '../service.ts'

let hub: PlainHub
let service: Service

beforeEach(async () => {
  hub = await startPlainHub()
  service = await startService({ hub: hub.url })
})
afterEach(async () => {
  await service.close()
  await hub.close()
})

const create = (body: object) => service.request('POST', '/workflows', { workflow_type: 'plan', ...body })
const found = (feature_id: string, description: string | null, workspace = 'default') =>
  hub.more.set(`GET /workspaces/${workspace}/features/${feature_id}`, {
    status: 200,
    body: { feature_id, workspace, description, documents: ['spec.md'] },
  })

describe('a feature that is in the repository and was never created here', () => {
  it('is continued by its id, with the description that its specification tells', async () => {
    found('004-old', 'Let people search.')
    const { status, body } = await create({ feature_id: '004-old' })
    expect(status).toBe(201)
    expect(body).toMatchObject({
      feature_id: '004-old',
      feature_description: 'Let people search.',
      workspace: 'default',
    })
    await service.until(body.id, 'waiting_approval')
    expect(hub.received[0]?.body.context.feature_id).toBe('004-old')
    const feature = await service.request('GET', '/features/004-old')
    expect(feature.body).toMatchObject({
      id: '004-old',
      description: 'Let people search.',
      workflows: [{ id: body.id }],
    })
    expect((await create({ feature_id: '004-old' })).body.error.code).toBe('FEATURE_BUSY')
  })

  it('is looked for in the workspace that was named, and stays there', async () => {
    found('004-old', 'Let people search.', 'site')
    expect((await create({ feature_id: '004-old' })).body.error.code).toBe('FEATURE_NOT_FOUND')
    const { body } = await create({ feature_id: '004-old', workspace: 'site', feature_description: DESCRIPTION })
    expect(body).toMatchObject({ workspace: 'site', feature_description: DESCRIPTION })
    await service.until(body.id, 'waiting_approval')
    expect(hub.received[0]?.body.parameters['workspace']).toBe('site')
    const elsewhere = await create({ feature_id: '004-old', workspace: 'default' })
    expect(elsewhere.body.error).toMatchObject({ code: 'VALIDATION_ERROR', details: [{ field: 'workspace' }] })
  })

  it('needs a description where its specification tells none', async () => {
    found('004-old', null)
    const { status, body } = await create({ feature_id: '004-old' })
    expect(status).toBe(422)
    expect(body.error.details).toMatchObject([{ field: 'feature_description' }])
    expect((await create({ feature_id: '004-old', feature_description: DESCRIPTION })).status).toBe(201)
  })

  it('is begun once by two who ask at the same moment', async () => {
    found('004-old', 'Let people search.')
    const answers = await Promise.all([create({ feature_id: '004-old' }), create({ feature_id: '004-old' })])
    expect(answers.map(({ status }) => status)).toEqual(expect.arrayContaining([201, 409]))
  })
})

it('knows no workspace that the hub does not know', async () => {
  const refused = { error: { code: 'WORKSPACE_NOT_FOUND', message: 'There is none.' } }
  hub.more.set('GET /workspaces/nowhere', { status: 404, body: refused })
  hub.more.set('GET /workspaces/nowhere/features/004-old', { status: 404, body: refused })
  for (const body of [{ feature_description: DESCRIPTION }, { feature_id: '004-old' }]) {
    const answer = await create({ ...body, workspace: 'nowhere' })
    expect([answer.status, answer.body.error.code]).toEqual([404, 'WORKSPACE_NOT_FOUND'])
  }
  expect((await service.request('GET', '/workflows')).body.items).toEqual([])
})

it('tells none where the hub knows no names for them', async () => {
  expect(await service.request('GET', '/workspaces')).toMatchObject({
    status: 200,
    body: { items: [], next_cursor: null },
  })
})

it('tells the hub’s workspaces', async () => {
  const items = [{ name: 'default', location: '/srv/shop', default: true }]
  hub.more.set('GET /workspaces', { status: 200, body: { items, next_cursor: null } })
  expect((await service.request('GET', '/workspaces')).body).toEqual({ items, next_cursor: null })
})

it('has the hub push a feature, once its workflows have ended', async () => {
  const { id, feature_id } = await service.create()
  await service.until(id, 'waiting_approval')
  const push = () => service.request('POST', `/features/${feature_id}/push`, { clean_up: true })
  expect((await push()).body.error.code).toBe('FEATURE_BUSY')
  await service.request('POST', `/workflows/${id}/cancel`)
  const pushed = { remote: 'origin', url: 'https://git.example/shop.git', branch: feature_id, commit: 'a'.repeat(40) }
  const path = `POST /workspaces/default/features/${feature_id}/push`
  hub.more.set(path, { status: 200, body: { ...pushed, cleaned_up: true } })
  expect((await push()).body).toEqual({ ...pushed, cleaned_up: true })
  const message = 'The remote did not let us in.'
  hub.more.set(path, { status: 502, body: { error: { code: 'PUSH_FAILED', message } } })
  const refused = await push()
  expect([refused.status, refused.body.error.code]).toEqual([502, 'PUSH_FAILED'])
  expect(refused.body.error.message).toContain(message)
})
