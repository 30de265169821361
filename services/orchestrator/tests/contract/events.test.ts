import type { StreamEvent } from '@orchestrator/contract'
import { afterAll, expect, it } from 'vitest'

import { readEvents } from '../event-reader.ts'
import { startService } from '../service.ts'

const service = await startService()
afterAll(() => service.close())

const sequences = (events: StreamEvent[]) => events.map(({ sequence }) => sequence)

async function busyWorkflow(): Promise<string> {
  const { id } = await service.create()
  await service.advance(id, 'agent_complete', { output: 'Done.' })
  await service.advance(id, 'human_rejected', { comments: 'Once more.' })
  return id
}

it('tells one workflow from its beginning, and goes on live', async () => {
  const id = await busyWorkflow()
  const reader = await readEvents(`${service.url}/workflows/${id}/events`)
  expect(reader.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  await expect.poll(() => reader.events.length).toBe(4)
  await service.advance(id, 'agent_complete')
  await expect.poll(() => reader.events.length).toBe(5)
  expect(reader.events.map(({ type }) => type)).toEqual([
    'workflow.created',
    ...Array.from({ length: 4 }, () => 'workflow.transition'),
  ])
  expect(reader.ids).toEqual(sequences(reader.events).map(String))
  const told = reader.events.flatMap((event) => (event.type === 'workflow.transition' ? [event.data] : []))
  // The history says more of each.
  expect(await service.history(id)).toMatchObject(told)
  await reader.leave()
})

it('tells nothing of others', async () => {
  const id = await busyWorkflow()
  const reader = await readEvents(`${service.url}/workflows/${id}/events`)
  await busyWorkflow()
  await service.advance(id, 'agent_complete')
  await expect.poll(() => reader.events.length).toBe(5)
  expect(new Set(reader.events.map(({ workflow_id }) => workflow_id))).toEqual(new Set([id]))
  await reader.leave()
})

it.each([
  ['Last-Event-ID', (after: number): [string, Record<string, string>] => ['', { 'last-event-id': String(after) }]],
  ['?after=', (after: number): [string, Record<string, string>] => [`?after=${after}`, {}]],
])('resumes by %s at every place, missing and repeating nothing', async (_how, ask) => {
  const id = await busyWorkflow()
  const whole = await readEvents(`${service.url}/events?after=0`)
  const one = await readEvents(`${service.url}/workflows/${id}/events`)
  await expect.poll(() => one.events.length).toBe(4)
  await expect.poll(() => sequences(whole.events).at(-1)).toBe(sequences(one.events).at(-1))
  for (const reader of [whole, one]) {
    const path = reader === one ? `/workflows/${id}/events` : '/events'
    const expected = sequences(reader.events)
    for (const after of expected.slice(-4)) {
      const [query, headers] = ask(after)
      const resumed = await readEvents(`${service.url}${path}${query}`, headers)
      const rest = expected.filter((sequence) => sequence > after)
      await expect.poll(() => sequences(resumed.events)).toEqual(rest)
      await resumed.leave()
    }
    await reader.leave()
  }
})

it('prefers the header, which a browser sends by itself, to the query it began with', async () => {
  const id = await busyWorkflow()
  const history = await service.history(id)
  const reader = await readEvents(`${service.url}/workflows/${id}/events?after=0`, {
    'last-event-id': String(history[1]?.sequence),
  })
  await expect.poll(() => sequences(reader.events)).toEqual([history[2]?.sequence])
  await reader.leave()
})

it('tells all workflows what comes next', async () => {
  await busyWorkflow()
  const reader = await readEvents(`${service.url}/events`)
  const { id } = await service.create()
  await expect.poll(() => reader.events.length).toBe(2)
  expect(new Set(reader.events.map(({ workflow_id }) => workflow_id))).toEqual(new Set([id]))
  await reader.leave()
})

it('tells everything to forty listeners while workflows come and go', async () => {
  const begin = (await service.history(await busyWorkflow())).at(-1)?.sequence ?? 0
  const readers = await Promise.all(
    Array.from({ length: 40 }, () => readEvents(`${service.url}/events?after=${begin}`)),
  )
  await Promise.all(Array.from({ length: 25 }, busyWorkflow))
  await expect
    .poll(() => readers.map(({ events }) => events.length), { timeout: 40_000 })
    .toEqual(readers.map(() => 100))
  for (const { events } of readers)
    expect(sequences(events)).toEqual(Array.from({ length: 100 }, (_, i) => begin + 1 + i))
  await Promise.all(readers.map((reader) => reader.leave()))
})

it.each([
  ['/events?after=x', {}],
  ['/events?after=-1', {}],
  ['/events?from=1', {}],
  ['/events', { 'last-event-id': 'abc' }],
])('%s with %j is 422', async (path, headers) => {
  const answer = await service.request('GET', path, undefined, headers)
  expect([answer.status, answer.body.error.code]).toEqual([422, 'VALIDATION_ERROR'])
})
