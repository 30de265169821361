import { afterEach, describe, expect, it } from 'vitest'
import type { ServerResponse } from 'node:http'

import { createClient } from '@orchestrator/client'
import type { StreamEvent } from '@orchestrator/contract'

import { eventOf, frameOf, workflow_id } from './documents.ts'
import { answerJson, startService, type Received } from './service.ts'

const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()))
})

/** Answers the n-th connection with the n-th script, and all later ones with the last. */
async function serviceOf(...scripts: ((response: ServerResponse, received: Received) => void)[]) {
  let connections = 0
  const service = await startService((received, response) => {
    const script = scripts[Math.min(connections++, scripts.length - 1)]!
    script(response, received)
  })
  closers.push(() => service.close())
  return service
}

const begin = (response: ServerResponse) => response.writeHead(200, { 'content-type': 'text/event-stream' })

async function take(events: AsyncIterable<StreamEvent>, count: number): Promise<StreamEvent[]> {
  const taken: StreamEvent[] = []
  for await (const event of events) {
    taken.push(event)
    if (taken.length === count) break
  }
  return taken
}

describe('streamEvents', () => {
  it('yields the events of one workflow after the one already seen', async () => {
    const service = await serviceOf((response) => begin(response).write(`: hello\n\n${frameOf(8)}${frameOf(9)}`))
    const events = createClient({ base_url: service.base_url, key: 'ok' }).streamEvents({ after: 7, workflow_id })
    await expect(take(events, 2)).resolves.toEqual([eventOf(8), eventOf(9)])
    expect(service.received).toMatchObject([
      {
        url: `/workflows/${workflow_id}/events`,
        headers: { 'last-event-id': '7', accept: 'text/event-stream', authorization: 'Bearer ok' },
      },
    ])
  })

  it('goes on where it was when the connection ends, is cut, or the service is down for a while', async () => {
    const service = await serviceOf(
      (response) => begin(response).end(frameOf(1) + frameOf(2)),
      (response) => begin(response).write(frameOf(3) + frameOf(4).slice(0, 20), () => response.destroy()),
      (response) => response.destroy(),
      (response) => answerJson(response, 503, { error: { code: 'UNAVAILABLE', message: 'Starting.' } }),
      (response) => response.writeHead(502).end('<h1>Bad gateway</h1>'),
      (response) => begin(response).write(frameOf(4) + frameOf(5)),
    )
    const events = createClient({ base_url: service.base_url }).streamEvents()
    await expect(take(events, 5)).resolves.toEqual([1, 2, 3, 4, 5].map(eventOf))
    expect(service.received.map((one) => one.headers['last-event-id'])).toEqual([undefined, '2', '3', '3', '3', '3'])
  })

  it('yields nothing twice when the service repeats itself', async () => {
    const service = await serviceOf(
      (response) => begin(response).end(frameOf(1)),
      (response) => begin(response).write(frameOf(1) + frameOf(2)),
    )
    const events = createClient({ base_url: service.base_url }).streamEvents()
    await expect(take(events, 2)).resolves.toEqual([1, 2].map(eventOf))
  })

  it('passes over events that it does not know', async () => {
    const service = await serviceOf((response) =>
      begin(response).write(`event: novelty\ndata: {"sequence":1,"type":"novelty"}\n\ndata: {{{\n\n${frameOf(2)}`),
    )
    await expect(take(createClient({ base_url: service.base_url }).streamEvents(), 1)).resolves.toEqual([eventOf(2)])
  })

  it('ends with the refusal when waiting would not help', async () => {
    const error = { code: 'WORKFLOW_NOT_FOUND', message: 'There is no such workflow.' }
    const service = await serviceOf((response) => answerJson(response, 404, { error }))
    const events = createClient({ base_url: service.base_url }).streamEvents({ workflow_id })
    await expect(take(events, 1)).rejects.toMatchObject(error)
    expect(service.received).toHaveLength(1)
  })

  it('ends without an error, and closes the connection, when its signal is aborted', async () => {
    const abort = new AbortController()
    const closed = Promise.withResolvers<void>()
    const service = await serviceOf((response) => {
      response.on('close', () => closed.resolve())
      begin(response).write(frameOf(1))
    })
    const seen: number[] = []
    for await (const event of createClient({ base_url: service.base_url }).streamEvents({ signal: abort.signal })) {
      seen.push(event.sequence)
      abort.abort()
    }
    await closed.promise
    expect(seen).toEqual([1])
  })

  it('closes the connection when the loop is left', async () => {
    const closed = Promise.withResolvers<void>()
    const service = await serviceOf((response) => {
      response.on('close', () => closed.resolve())
      begin(response).write(frameOf(1))
    })
    await expect(take(createClient({ base_url: service.base_url }).streamEvents(), 1)).resolves.toEqual([eventOf(1)])
    await closed.promise
  })
})
