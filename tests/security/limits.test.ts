import { budgetPageSchema, budgetSchema, type Workflow } from '@orchestrator/contract'
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { openDatabases } from '../../services/orchestrator/tests/databases.ts'
import { failWith, startPlainHub, succeed, type PlainHub } from '../../services/orchestrator/tests/plain-hub.ts'
import { DESCRIPTION, startService, type Service } from '../../services/orchestrator/tests/service.ts'

const databases = await openDatabases()
afterAll(() => databases.stop())

let hub: PlainHub
let service: Service
beforeEach(async () => {
  hub = await startPlainHub()
})
afterEach(async () => {
  await service.close()
  await hub.close()
})

const costing = (cost_usd: number | null) =>
  succeed({ data: { usage: { input_tokens: 10, output_tokens: 10, cost_usd } } })
const budgets = async () => budgetPageSchema.parse((await service.request('GET', '/budgets')).body)
const held = (id: string) =>
  vi.waitFor(
    async () => {
      const workflow = await service.get(id)
      expect(workflow.attempt).toMatchObject({ state: 'queued', reason: expect.stringMatching(/^Waits: \$/) })
      return workflow
    },
    { timeout: 40_000, interval: 20 },
  )
const lift = (body: object) => service.request('POST', '/budgets/lift', { reason: 'worth it', ...body })

describe.each(databases.lasting)('budgets on $title', ({ create, isMissing }) => {
  const start = async (env: Record<string, string>) => {
    service = await startService({ hub: hub.url, env: { DATABASE_URL: await create(), ...env } })
  }

  it.skipIf(isMissing)('count what an attempt cost that failed', async () => {
    await start({ FEATURE_BUDGET_USD: '10', DAILY_BUDGET_USD: '100' })
    const usage = { input_tokens: 10, output_tokens: null, cost_usd: 9 }
    hub.next(failWith('Its model is gone.', { usage }))
    const { id, feature_id } = await service.create()
    await service.until(id, 'failed')
    expect(await budgets()).toMatchObject({ today: { spent_usd: 9 }, items: [{ spent_usd: 9, state: 'warning' }] })
    const feature = (await service.request('GET', `/features/${feature_id}`)).body
    expect(feature).toMatchObject({ totals: { cost_usd: 9, input_tokens: 10 } })
  })

  it.skipIf(isMissing)('hold back the phases of a feature that spent its own, and no others', async () => {
    await start({ FEATURE_BUDGET_USD: '10' })
    hub.usual = costing(8)
    const dear = await service.create()
    await service.until(dear.id, 'waiting_approval')
    expect((await budgets()).items).toMatchObject([
      { name: `feature:${dear.feature_id}`, spent_usd: 8, limit_usd: 10, state: 'warning' },
    ])
    await service.advance(dear.id, 'human_rejected', { comments: 'Name the providers.' })
    await expect.poll(async () => (await service.get(dear.id)).attempt).toMatchObject({ number: 2, state: 'succeeded' })
    // At 16 of 10: what began went on, what would begin waits.
    await service.advance(dear.id, 'human_approved')
    const { attempt } = await held(dear.id)
    expect(attempt?.reason).toBe(
      `Waits: $16.00 of $10.00 for ${dear.feature_id} (FEATURE_BUDGET_USD) are spent. It goes on when an admin lifts that (POST /budgets/lift).`,
    )
    const calls = hub.received.length
    expect((await service.request('GET', `/features/${dear.feature_id}`)).body.budget).toMatchObject({
      state: 'paused',
    })
    expect((await service.request('GET', '/health')).body.status).toBe('degraded')
    expect(await service.troubles()).toEqual([expect.stringContaining('FEATURE_BUDGET_USD')])
    const told = (await service.request('GET', `/workflows/${dear.id}/history`)).body
    expect(told.items.at(-1)).toMatchObject({ trigger: 'human_approved' })

    const other = await service.create()
    await service.until(other.id, 'waiting_approval')
    expect(hub.received).toHaveLength(calls + 1)

    const lifted = await lift({ feature_id: dear.feature_id, limit_usd: 100 })
    expect(budgetSchema.parse(lifted.body)).toMatchObject({ limit_usd: 100, state: 'free', lifted_by: 'local' })
    await service.until(dear.id, 'waiting_approval')
    expect((await service.get(dear.id)).attempt).toMatchObject({ state: 'succeeded', reason: null })
    expect(await service.troubles()).toEqual([])
  })

  it.skipIf(isMissing)(
    'hold back everything once the day is spent, also after a restart, until it is lifted',
    async () => {
      await start({ DAILY_BUDGET_USD: '5.00' })
      hub.usual = costing(4.5)
      const first = await service.create()
      await service.until(first.id, 'waiting_approval')
      expect((await budgets()).today).toMatchObject({ spent_usd: 4.5, limit_usd: 5, state: 'warning' })
      expect(await service.troubles()).toEqual(['$4.50 of $5.00 for today (DAILY_BUDGET_USD) are spent.'])
      hub.usual = costing(null)
      hub.next(costing(0.5))
      const second = await service.create()
      await service.until(second.id, 'waiting_approval')
      const third = await service.create()
      await held(third.id)
      expect((await service.get(third.id)).status).toBe('pending')
      const { text } = await service.request('GET', '/metrics')
      expect(text).toMatch(/^orchestrator_budget_today_spent_usd 5$/m)
      expect(text).toMatch(/^orchestrator_budget_paused 1$/m)
      // A cancellation does not wait for money.
      const fourth = await service.create()
      await held(fourth.id)
      expect((await service.request('POST', `/workflows/${fourth.id}/cancel`)).status).toBe(200)

      expect((await lift({})).body).toMatchObject({ limit_usd: null, state: 'free' })
      await service.until(third.id, 'waiting_approval')
      const acts = (await service.request('GET', '/audit/acts')).body.items
      expect(acts).toMatchObject([{ action: 'budget.lifted', actor: 'local', details: { limit_usd: null } }])
    },
  )

  it.skipIf(isMissing)('are asked for in the service’s own words', async () => {
    await start({})
    for (const [body, field] of [
      [{ reason: '' }, 'reason'],
      [{ limit_usd: 0 }, 'limit_usd'],
      [{ limit_usd: '20' }, 'limit_usd'],
      [{ feature_id: 'x' }, 'feature_id'],
    ] as const)
      expect((await lift(body)).body.error).toMatchObject({ code: 'VALIDATION_ERROR', details: [{ field }] })
    expect((await lift({ feature_id: '999-nothing' })).body.error.code).toBe('FEATURE_NOT_FOUND')
    expect((await budgets()).today).toMatchObject({ spent_usd: 0, limit_usd: null, state: 'free' })
  })

  it.skipIf(isMissing)('bound the workflows that run in a workspace, however many ask at once', async () => {
    await start({ MAX_RUNNING_WORKFLOWS_PER_WORKSPACE: '3' })
    const body = { workflow_type: 'specify', feature_description: DESCRIPTION }
    const ask = (more = {}, headers = {}) => service.request('POST', '/workflows', { ...body, ...more }, headers)
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask()))
    const made = answers.filter(({ status }) => status === 201)
    const refused = answers.filter(({ status }) => status === 429)
    expect([made.length, refused.length]).toEqual([3, 17])
    expect(refused[0]?.body.error).toMatchObject({
      code: 'QUOTA_EXCEEDED',
      message: expect.stringContaining('MAX_RUNNING_WORKFLOWS_PER_WORKSPACE'),
    })
    expect(refused[0]?.headers.get('retry-after')).toBe('60')
    // Another workspace has its own, and what was refused under a key is not remembered as an answer.
    expect((await ask({ workspace: 'site' })).status).toBe(201)
    const key = { 'idempotency-key': 'once' }
    expect((await ask({}, key)).status).toBe(429)
    const [{ id }] = made.map((answer) => answer.body as Workflow) as [Workflow]
    expect((await service.request('POST', `/workflows/${id}/cancel`)).status).toBe(200)
    expect((await ask({}, key)).status).toBe(201)
    const retried = await service.request('POST', `/workflows/${id}/retry`)
    expect([retried.status, retried.body.error.code]).toEqual([429, 'QUOTA_EXCEEDED'])
  })
})
