import { afterAll, beforeAll, expect, it } from 'vitest'

import { startService, type Answer, type Service } from '../service.ts'

let service: Service
beforeAll(async () => {
  service = await startService()
})
afterAll(() => service.close())

/** Each step of a walk answers the workflow as it then stands: the same as asking for it. */
it.each([
  ['completes', ['agent_complete', 'human_approved', 'agent_complete', 'human_approved'], 'completed'],
  ['is reworked', ['agent_complete', 'human_rejected', 'agent_complete', 'human_approved'], 'in_progress'],
  ['fails', ['agent_complete', 'human_approved', 'error'], 'failed'],
])('a workflow that %s is answered as it is stored', async (_, triggers, end) => {
  const created = await service.request('POST', '/workflows', {
    workflow_type: 'specify',
    feature_description: 'Compare what is answered with what is stored',
    context: { priority: 'P1' },
  })
  const { id } = created.body as { id: string }
  const answers: Answer[] = [created]
  const stored: unknown[] = [await service.get(id)]
  for (const trigger of triggers) {
    answers.push(await service.advance(id, trigger, { output: trigger, comments: 'A word on it.' }))
    stored.push(await service.get(id))
  }
  expect(answers.map((answer) => answer.body as unknown)).toEqual(stored)
  expect(stored.at(-1)).toMatchObject({ status: end })
})

it('a workflow that was cancelled is answered as it is stored, and so is its successor', async () => {
  const { id } = await service.create()
  const cancelled = await service.request('POST', `/workflows/${id}/cancel`, { reason: 'No longer needed' })
  expect(cancelled.body).toEqual(await service.get(id))
  const retried = await service.request('POST', `/workflows/${id}/retry`)
  const successor = retried.body as { id: string }
  expect(retried.body).toEqual(await service.get(successor.id))
})
