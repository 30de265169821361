import { rm } from 'node:fs/promises'

import { afterEach, describe, expect, it } from 'vitest'

import { startCollector } from '../collector.ts'
import { failWith, refuse, startPlainHub, succeed } from '../plain-hub.ts'
import { clientOf, startService, temporaryFolder, type Client } from '../service.ts'
import { startHub, startProcess } from '../service-process.ts'

const closers: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close()
})
const closed = <T extends { close(): Promise<unknown> }>(one: T): T => {
  closers.push(() => one.close())
  return one
}

/** Samples by name and labels, as they stand in the text. */
async function samples(client: Client): Promise<Map<string, number>> {
  const { status, text } = await client.request('GET', '/metrics')
  expect(status).toBe(200)
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  )
}

describe('metrics', () => {
  it('tell steps, phases, reviews, the queue, the hub’s faults, commits, answers and the event loop', async () => {
    const hub = closed(await startPlainHub())
    const service = closed(await startService({ hub: hub.url }))
    hub.next(refuse(503, 'UNAVAILABLE', 'The hub is starting.'), succeed(), failWith('no idea'))
    const { id } = await service.create()
    await service.until(id, 'waiting_approval')
    const failing = await service.create({ agent: 'other' })
    await service.until(failing.id, 'failed')
    await service.request('POST', '/queue/pause', {})
    await service.create()
    await service.request('GET', '/nothing/here')

    const all = await samples(service)
    const of = (name: string) => all.get(name)
    const step = (trigger: string, from: string, to: string) =>
      of(`orchestrator_transitions_total{workflow_type="specify",trigger="${trigger}",from="${from}",to="${to}"}`)
    expect(step('start', 'pending', 'in_progress')).toBe(2)
    expect(step('agent_complete', 'in_progress', 'waiting_approval')).toBe(1)
    expect(step('error', 'in_progress', 'failed')).toBe(1)
    const phase = (agent: string, outcome: string) =>
      of(
        `orchestrator_phase_duration_seconds_count{workflow_type="specify",phase="phase_1",agent="${agent}",outcome="${outcome}"}`,
      )
    expect([phase('default', 'succeeded'), phase('other', 'failed')]).toEqual([1, 1])
    expect(of('orchestrator_hub_errors_total{kind="transient"}')).toBe(1)
    expect(of('orchestrator_reviews_waiting')).toBe(1)
    expect(of('orchestrator_reviews_oldest_seconds')).toBeGreaterThan(0)
    expect([of('orchestrator_queue_waiting'), of('orchestrator_queue_paused')]).toEqual([1, 1])
    expect(of('orchestrator_queue_oldest_seconds')).toBeGreaterThan(0)
    expect(of('orchestrator_phases_at_work')).toBe(0)
    expect(of('orchestrator_commit_transactions_count')).toBeGreaterThan(5)
    expect(of('http_request_duration_seconds_count{method="POST",route="/workflows",status="201"}')).toBe(3)
    expect(of('http_request_duration_seconds_count{method="GET",route="unknown",status="404"}')).toBe(1)
    expect(of('event_loop_lag_seconds{quantile="0.99"}')).toBeGreaterThanOrEqual(0)
    expect(of('process_resident_memory_bytes')).toBeGreaterThan(1e6)
    expect([...all.values()].filter((value) => Number.isNaN(value))).toEqual([])
  })

  it('are for who may read, and the hub’s for who has its token', async () => {
    const folder = await temporaryFolder()
    closers.push(() => rm(folder, { recursive: true, force: true }))
    const wide = closed(await startService({ env: { HOST: '0.0.0.0' } }))
    expect((await clientOf(wide.url.replace('0.0.0.0', '127.0.0.1')).request('GET', '/metrics')).status).toBe(401)
    const hub = await startHub(folder, { AGENT_HUB_TOKEN: 'a-token-of-the-hub' })
    closers.push(() => hub.kill())
    expect((await clientOf(hub.url).request('GET', '/metrics')).status).toBe(401)
    expect((await samples(clientOf(hub.url, 'a-token-of-the-hub'))).get('hub_running')).toBe(0)
  })
})

describe('health', () => {
  it('is degraded while the queue is paused, and says by whom', async () => {
    const service = closed(await startService())
    await service.request('POST', '/queue/pause', { reason: 'a new model' })
    expect((await service.request('GET', '/health')).body).toMatchObject({ status: 'degraded' })
    expect(await service.troubles()).toEqual([
      expect.stringMatching(/^The queue is paused since .* by local \(a new model\): nothing is handed out\./),
    ])
    await service.request('POST', '/queue/resume')
    expect(await service.troubles()).toEqual([])
  })
})

describe('traces', () => {
  it('go from the caller’s through request, phase and hub to the agent', async () => {
    const collector = closed(await startCollector())
    const folder = await temporaryFolder()
    closers.push(() => rm(folder, { recursive: true, force: true }))
    const OTEL_EXPORTER_OTLP_ENDPOINT = collector.url
    const hub = await startHub(folder, { OTEL_EXPORTER_OTLP_ENDPOINT })
    closers.push(() => hub.kill())
    const service = await startProcess(folder, { AGENT_HUB_URL: hub.url, OTEL_EXPORTER_OTLP_ENDPOINT })
    closers.push(() => service.kill())
    const client = clientOf(service.url)
    const trace_id = '0af7651916cd43dd8448eb211c80319c'
    const traceparent = `00-${trace_id}-b7ad6b7169203331-01`
    const body = { workflow_type: 'specify', feature_description: 'Add user authentication with OAuth2' }
    const { id } = (await client.request('POST', '/workflows', body, { traceparent })).body
    await client.until(id, 'waiting_approval')
    // What they have not sent yet they send at their end.
    await Promise.all([service.stop(), hub.stop()])

    const spans = collector.spans.filter((span) => span.trace_id === trace_id)
    const chain = ['POST /workflows', 'phase specify phase_1', 'POST /invoke/:agent', 'agent demo']
    const found = chain.map((name) => spans.find((span) => span.name === name))
    expect(found.map((span) => [span?.name, span?.service])).toEqual([
      ['POST /workflows', 'orchestrator'],
      ['phase specify phase_1', 'orchestrator'],
      ['POST /invoke/:agent', 'agent-hub'],
      ['agent demo', 'agent-hub'],
    ])
    expect(found.map((span) => span?.parent_span_id)).toEqual([
      'b7ad6b7169203331',
      ...found.slice(0, -1).map((span) => span?.span_id),
    ])
    expect(found[1]?.attributes).toMatchObject({ workflow_id: id, outcome: 'succeeded' })
    expect(found[3]?.attributes).toMatchObject({ workflow_id: id, status: 'succeeded' })
  })

  it('are passed on by a service that exports none', async () => {
    const hub = closed(await startPlainHub())
    const seen: (string | undefined)[] = []
    hub.usual = (received, response) => {
      seen.push(received.traceparent)
      return succeed()(received, response)
    }
    const service = closed(await startService({ hub: hub.url }))
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
    const body = { workflow_type: 'specify', feature_description: 'Add user authentication with OAuth2' }
    for (const header of [traceparent, 'nonsense']) {
      const { id } = (await service.request('POST', '/workflows', body, { traceparent: header })).body
      await service.until(id, 'waiting_approval')
    }
    expect(seen).toEqual([traceparent, undefined])
  })
})

describe('the log', () => {
  it('names request and workflow, and no secret', async () => {
    const hub = closed(await startPlainHub())
    const folder = await temporaryFolder()
    closers.push(() => rm(folder, { recursive: true, force: true }))
    const env = { AGENT_HUB_URL: hub.url, AGENT_HUB_TOKEN: 'a-secret-of-both-services', HOST: '0.0.0.0' }
    const service = await startProcess(folder, env)
    closers.push(() => service.kill())
    await expect.poll(service.output).toContain('shown this once')
    const key = /ok_[0-9a-f]{12}_[\w-]{43}/.exec(service.output())?.[0] ?? ''
    const client = clientOf(service.url.replace('0.0.0.0', '127.0.0.1'), key)
    hub.next(refuse(503, 'UNAVAILABLE', 'The hub is starting.'))
    const { id } = await client.create()
    await client.until(id, 'waiting_approval')
    const { headers } = await client.advance(id, 'human_approved')
    await client.until(id, 'waiting_approval')
    await client.request('POST', '/queue/resume')
    await client.request('POST', `/workflows/${id}/cancel`)
    const retried = await client.request('POST', `/workflows/${id}/retry`)
    await service.stop()
    const lines = service
      .output()
      .split('\n')
      .filter((line) => line.startsWith('{'))
    const told = lines.map((line) => JSON.parse(line) as Record<string, unknown>)
    const said = (msg: string) => told.filter((line) => line['msg'] === msg)
    const phases = said('phase ended')
    const of_first = phases.filter((line) => line['workflow_id'] === id)
    expect(of_first.map((line) => [line['workflow_id'], line['phase'], line['outcome']])).toEqual([
      [id, 'phase_1', 'succeeded'],
      [id, 'phase_2', 'succeeded'],
    ])
    expect(said('the Agent Hub failed')).toMatchObject([{ workflow_id: id, kind: 'transient' }])
    const answers = said('answered')
    expect(answers.map((line) => line['request_id'])).toContain(headers.get('x-request-id'))
    expect(answers.map((line) => [line['path'], line['workflow_id']])).toEqual([
      ['/workflows', id],
      [`/workflows/${id}/advance`, id],
      ['/queue/resume', undefined],
      [`/workflows/${id}/cancel`, id],
      [`/workflows/${id}/retry`, retried.body.id],
    ])
    expect(lines.join('\n')).not.toContain(key.slice(-43))
    expect(lines.join('\n')).not.toContain('a-secret-of-both-services')
  })
})
