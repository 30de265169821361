import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

import type { WorkflowType } from '@orchestrator/contract'

import { makeProduct, type RunningProduct } from './running-product.ts'
import { APPROVED, readArtifact, settled } from './workflow-steps.ts'

describe('the journey of a feature', () => {
  let product: Awaited<ReturnType<typeof makeProduct>>
  let running: RunningProduct

  beforeAll(async () => {
    product = await makeProduct()
    running = await product.start()
  })
  afterAll(async () => {
    await product.stopAll()
    await product.remove()
  })

  it('goes from a sentence through review and rework to code, and says who did what', async () => {
    const { client } = running
    const created = await client.createWorkflow({
      workflow_type: 'specify',
      feature_description: 'Add user authentication with OAuth2',
      context: { priority: 'P1' },
    })
    const first = await settled(client, created.id, 'waiting_approval', 'phase_1')
    expect(await readArtifact(client, created.id, 'spec.md')).toMatch(/sign in with OAuth2/i)

    await client.advanceWorkflow(created.id, {
      trigger: 'human_rejected',
      phase_result: {
        approved: false,
        digest: first.attempt!.digest!,
        comments: [
          { path: `specs/${created.feature_id}/spec.md`, text: 'Mention account lockout after five failed attempts' },
        ],
      },
    })
    const second = await settled(client, created.id, 'waiting_approval', 'phase_1')
    expect(second.attempt).toMatchObject({ number: 2, state: 'succeeded' })
    expect(await readArtifact(client, created.id, 'spec.md')).toMatch(/lockout/i)
    const [reviewed] = (await client.listAttempts(created.id)).items
    expect(reviewed!.review).toMatchObject({
      verdict: 'changes_requested',
      threads: [{ fate: 'addressed', reply: expect.stringMatching(/\S/) as string }],
    })

    await client.advanceWorkflow(created.id, APPROVED)
    await settled(client, created.id, 'waiting_approval', 'phase_2')
    await client.advanceWorkflow(created.id, APPROVED)
    await settled(client, created.id, 'completed')

    const { items: history } = await client.listHistory(created.id)
    expect(history.map(({ trigger, actor, attempt }) => [trigger, actor, attempt])).toEqual([
      ['start', 'orchestrator', 1],
      ['agent_complete', 'agent:demo', 1],
      ['human_rejected', 'local', 1],
      ['agent_complete', 'agent:demo', 2],
      ['human_approved', 'local', 2],
      ['agent_complete', 'agent:demo', 1],
      ['human_approved', 'local', 1],
    ])

    for (const workflow_type of ['plan', 'tasks', 'implement'] as const satisfies WorkflowType[]) {
      const { id } = await client.createWorkflow({ workflow_type, feature_id: created.feature_id })
      await settled(client, id, 'waiting_approval', 'phase_1')
      await client.advanceWorkflow(id, APPROVED)
      await settled(client, id, 'waiting_approval', 'phase_2')
      const checks = (await client.listAttempts(id)).items.flatMap((attempt) => attempt.checks)
      expect(checks.filter((check) => check.level === 'error')).toEqual([])
      await client.advanceWorkflow(id, APPROVED)
      await settled(client, id, 'completed')
    }

    const feature = await client.getFeature(created.feature_id)
    expect(feature.workflows.map((workflow) => [workflow.workflow_type, workflow.status])).toEqual([
      ['specify', 'completed'],
      ['plan', 'completed'],
      ['tasks', 'completed'],
      ['implement', 'completed'],
    ])
    const repository = join(product.folder, 'demo-workspace')
    const messages = execFileSync('git', [
      '-C',
      repository,
      'log',
      '--format=%s %(trailers:key=Workflow,valueonly)',
      created.feature_id,
    ])
    expect(messages.toString()).toContain(`specify phase_1 attempt 2 for ${created.feature_id} ${created.id}`)
    expect(execFileSync('git', ['-C', repository, 'status', '--porcelain']).toString()).toBe('')
  })
})

describe('a power cut in the middle of a phase', () => {
  let product: Awaited<ReturnType<typeof makeProduct>>

  beforeAll(async () => {
    product = await makeProduct({ DEMO_AGENT_PACE_MS: '400' })
  })
  afterEach(() => product.stopAll())
  afterAll(() => product.remove())

  it('loses nothing and does nothing twice', async () => {
    const before = await product.start()
    const { id, feature_id } = await before.client.createWorkflow({
      workflow_type: 'specify',
      feature_description: 'Export the monthly report as a spreadsheet',
    })
    const listening = new AbortController()
    for await (const event of before.client.streamEvents({ workflow_id: id, after: 0, signal: listening.signal })) {
      if (event.type === 'agent.update') break
    }
    await product.killAll(before.started)

    const after = await product.start()
    await settled(after.client, id, 'waiting_approval', 'phase_1')
    const { items: history } = await after.client.listHistory(id)
    expect(history.map(({ trigger }) => trigger)).toEqual(['start', 'agent_complete'])
    expect((await after.client.listAttempts(id)).items).toMatchObject([{ number: 1, state: 'succeeded' }])
    const repository = join(product.folder, 'demo-workspace')
    const commits = execFileSync('git', ['-C', repository, 'log', '--format=%s', `HEAD..${feature_id}`])
    expect(commits.toString().trim().split('\n')).toEqual([`specify phase_1 attempt 1 for ${feature_id}`])
  })
})
