import { featureDetailSchema } from '@orchestrator/contract'
import { afterEach, beforeEach, expect, it } from 'vitest'

import { leave } from '../artifacts.ts'
import { failWith, startPlainHub, type PlainHub } from '../plain-hub.ts'
import { startService, type Service } from '../service.ts'

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

const usage = { input_tokens: 100, output_tokens: 10, cost_usd: 0.25 }

it('tells a feature’s workflows, latest files, coverage, time and cost', async () => {
  const { feature_id, id } = await service.create()
  await service.until(id, 'waiting_approval')
  const at = (name: string) => `specs/${feature_id}/${name}`
  const spec =
    '### User Story 1 - Sign in (Priority: P1)\n\n- **FR-001**: People sign in (US1).\n- **FR-002**: Sign out.\n'
  hub.next(leave(hub, { [at('spec.md')]: spec }, { usage }))
  await service.advance(id, 'human_rejected')
  await service.until(id, 'waiting_approval')
  hub.next(leave(hub, { [at('spec.md')]: `${spec}\n` }, { usage: { ...usage, cost_usd: null } }))
  await service.advance(id, 'human_approved')
  await service.until(id, 'waiting_approval')
  await service.advance(id, 'human_approved')
  await service.until(id, 'completed')
  hub.next(failWith('no disk'))
  const failed = await service.create({ workflow_type: 'plan', feature_id, feature_description: undefined })
  await service.until(failed.id, 'failed')
  hub.next(leave(hub, { [at('tasks.md')]: '- [X] T001 [US1] Sign in\n- [ ] T002 FR-002 in a.ts\n' }))
  const tasks = await service.create({ workflow_type: 'tasks', feature_id, feature_description: undefined })
  await service.until(tasks.id, 'waiting_approval')

  const feature = featureDetailSchema.parse((await service.request('GET', `/features/${feature_id}`)).body)
  expect(feature.workflows.map(({ id }) => id)).toEqual([id, failed.id, tasks.id])
  expect(feature.artifacts.map(({ path, workflow_id }) => [path, workflow_id])).toEqual([
    [at('spec.md'), id],
    [at('tasks.md'), tasks.id],
  ])
  const [latest] = feature.artifacts
  expect((await service.request('GET', `/artifacts/${latest?.digest}`)).text).toBe(`${spec}\n`)
  expect(feature.coverage).toMatchObject({
    requirements: [
      { id: 'FR-001', covered_by: 'story', tasks: ['T001'], stories: ['US1'], plan_lines: [] },
      { id: 'FR-002', covered_by: 'named', tasks: ['T002'] },
    ],
    stories: [{ id: 'US1', title: 'Sign in', priority: 'P1', tasks: 1, ticked: 1 }],
    tasks: { total: 2, ticked: 1 },
  })
  expect(feature.totals).toEqual({
    attempts: 5,
    agent_seconds: expect.any(Number),
    input_tokens: 200,
    output_tokens: 20,
    cost_usd: 0.25,
  })
  expect(feature.totals.agent_seconds).toBeGreaterThan(0)
})

it('tells the difference between any two attempts, file by file', async () => {
  const bytes = '\u0000\u0001'
  hub.next(leave(hub, { 'a.md': 'one\ntwo\nthree\n', 'gone.md': 'x\n', 'same.md': 's\n', 'b.bin': bytes }))
  const { id } = await service.create()
  await service.until(id, 'waiting_approval')
  hub.next(leave(hub, { 'a.md': 'one\n2\nthree\n', 'new.md': 'y\n', 'same.md': 's\n', 'b.bin': `${bytes}2` }))
  await service.advance(id, 'human_rejected')
  await service.until(id, 'waiting_approval')
  const [from, to] = (await service.attempts(id)).map((attempt) => attempt.id)
  const { status, body } = await service.request('GET', `/workflows/${id}/diff?from=${from}&to=${to}`)
  expect(status).toBe(200)
  expect(body).toMatchObject({
    from,
    to,
    files: [
      {
        path: 'a.md',
        change: 'modified',
        diff: '--- a/a.md\n+++ b/a.md\n@@ -1,3 +1,3 @@\n one\n-two\n+2\n three\n',
        added: 1,
        removed: 1,
      },
      { path: 'b.bin', change: 'modified', diff: null, added: null, removed: null },
      { path: 'gone.md', change: 'deleted', to_digest: null, added: 0, removed: 1 },
      {
        path: 'new.md',
        change: 'added',
        from_digest: null,
        diff: expect.stringContaining('--- /dev/null\n+++ b/new.md'),
      },
    ],
  })
  const back = await service.request('GET', `/workflows/${id}/diff?from=${to}&to=${from}`)
  expect(back.body.files.map(({ change }: { change: string }) => change)).toEqual([
    'modified',
    'modified',
    'added',
    'deleted',
  ])
  const other = '00000000-0000-4000-8000-000000000000'
  expect((await service.request('GET', `/workflows/${id}/diff?from=${from}&to=${other}`)).body.error.code).toBe(
    'ATTEMPT_NOT_FOUND',
  )
  expect((await service.request('GET', `/workflows/${id}/diff?from=${from}`)).status).toBe(422)
})
