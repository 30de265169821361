import type { CreateWorkflow, FeatureId, HubAgents } from '@orchestrator/contract'
import { describe, expect, it } from 'vitest'

import { createFeatureFinder } from '../../src/core/adopt-feature.ts'
import { HubError } from '../../src/core/agent-hub.ts'
import { createModelCheck } from '../../src/core/chosen-model.ts'

const BODY: CreateWorkflow = { workflow_type: 'specify', feature_description: 'Add user authentication with OAuth2' }
const AGENTS: HubAgents = {
  default: 'demo',
  items: [
    { name: 'demo', title: 'Demo', available: true, takes_model: false },
    { name: 'gemini', title: 'Gemini', available: true, takes_model: true },
  ],
} as unknown as HubAgents
const broken = () => Promise.reject(new TypeError('a fault of ours'))

describe('whether the agent has a model to choose', () => {
  const check = (body: Partial<CreateWorkflow>, listAgents: () => Promise<HubAgents> = async () => AGENTS) =>
    createModelCheck({ listAgents }, () => 'default')({ ...BODY, ...body })

  it('is not asked when nobody chose one', () => expect(check({}, broken)).resolves.toBeUndefined())

  it.each([{ agent: 'gemini' }, { agent: 'unheard-of' }])('is so, or not known: %o', (body) =>
    expect(check({ ...body, model: 'm' })).resolves.toBeUndefined(),
  )

  it.each([{}, { agent: 'demo' }])('is not so: %o', (body) =>
    expect(check({ ...body, model: 'm' })).rejects.toMatchObject({ code: 'VALIDATION_ERROR' }),
  )

  it('is left open while the hub is away, and a fault stays one', async () => {
    const away = () => Promise.reject(new HubError('The hub is away.', { transient: true }))
    await expect(check({ model: 'm' }, away)).resolves.toBeUndefined()
    await expect(check({ model: 'm' }, broken)).rejects.toThrow(TypeError)
  })
})

describe('a feature of the repository', () => {
  const ID = '007-login' as FeatureId
  const find = (findFeature: () => Promise<{ description: string | null } | undefined>, body = {}) =>
    createFeatureFinder({ findFeature: findFeature as never })('main', ID, body as CreateWorkflow)

  it('is found with its own words, or with those that came along', async () => {
    expect(await find(async () => ({ description: 'Its own.' }))).toEqual({ id: ID, description: 'Its own.' })
    expect(await find(async () => ({ description: null }), BODY)).toEqual({
      id: ID,
      description: BODY.feature_description,
    })
    expect(await find(async () => undefined)).toBeUndefined()
  })

  it('needs words', () =>
    expect(find(async () => ({ description: null }))).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      details: [{ field: 'feature_description' }],
    }))

  it.each([
    [new HubError('No such workspace.', { transient: false, code: 'WORKSPACE_NOT_FOUND' }), 'WORKSPACE_NOT_FOUND'],
    [new HubError('The hub is away.', { transient: true }), 'UNAVAILABLE'],
  ])('cannot be looked for: %s', (error, code) =>
    expect(
      find(async () => {
        throw error
      }),
    ).rejects.toMatchObject({ code }),
  )

  it('lets a fault stay one', () => expect(find(broken)).rejects.toThrow(TypeError))
})
