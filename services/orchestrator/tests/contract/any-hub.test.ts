import { createHash, randomUUID } from 'node:crypto'
import { rm } from 'node:fs/promises'

import {
  errorEnvelopeSchema,
  hubAgentsSchema,
  hubHealthSchema,
  hubWorkspaceSchema,
  invocationEventSchema,
  invocationSchema,
  invokeResponseSchema,
  type AttemptId,
  type FeatureId,
  type InvokeRequest,
} from '@orchestrator/contract'
import { afterAll, describe, expect, it } from 'vitest'
import * as z from 'zod'

import { AgentHubClient } from '../../src/clients/agent-hub.ts'
import { refuse, startPlainHub } from '../plain-hub.ts'
import { temporaryFolder } from '../service.ts'
import { startHub, STUB } from '../service-process.ts'

/**
 * What the orchestrator needs of an Agent Hub, whoever wrote it. `HUB_CONTRACT_URL=http://… npx vitest run --project
 * contract services/orchestrator/tests/contract/any-hub.test.ts` looks at a hub of your own too, in
 * `HUB_CONTRACT_WORKSPACE` (left out: its default), with its agent `HUB_CONTRACT_AGENT` (left out: `default`) and
 * `HUB_CONTRACT_TOKEN`. That agent is let work a few times.
 */
interface Target {
  title: string
  url: string
  token: string | undefined
  agent: string
  workspace: string | undefined
  /** An agent, and words of a description by which it does not end soon. */
  slow: { agent: string; words: string }
}

const folder = await temporaryFolder()
const ours = await startHub(folder, { HUB_MEMORY_MB: '100000' })
const plain = await startPlainHub()
afterAll(async () => {
  await ours.stop()
  await plain.close()
  await rm(folder, { recursive: true, force: true })
})

const foreign = process.env['HUB_CONTRACT_URL']
const agent = process.env['HUB_CONTRACT_AGENT'] ?? 'default'
const TARGETS: Target[] = [
  {
    title: 'our own hub',
    url: ours.url,
    token: undefined,
    agent: 'demo',
    workspace: undefined,
    slow: { agent: STUB, words: '\nstub: hang' },
  },
  {
    title: 'a hub with the plain interface only',
    url: plain.url,
    token: undefined,
    agent: 'demo',
    workspace: undefined,
    slow: { agent: 'demo', words: '' },
  },
  ...(foreign === undefined
    ? []
    : [
        {
          title: `the hub at ${foreign}`,
          url: foreign.replace(/\/+$/, ''),
          token: process.env['HUB_CONTRACT_TOKEN'],
          agent,
          workspace: process.env['HUB_CONTRACT_WORKSPACE'],
          slow: { agent, words: '' },
        },
      ]),
]

const headersOf = ({ token }: Target) => ({ ...(token !== undefined && { authorization: `Bearer ${token}` }) })
const looked = await Promise.all(
  TARGETS.map(async (target) => {
    const { ok } = await fetch(`${target.url}/agents`, { headers: headersOf(target) })
    return [target.title, target, ok] as const
  }),
)

/** The envelope, which some hubs wrap once more. */
const refusalSchema = z.union([errorEnvelopeSchema, z.object({ detail: errorEnvelopeSchema })])

describe.each(looked)('%s', (_title, target, isAsync) => {
  const at = async (path: string, init: RequestInit = {}) =>
    fetch(target.url + path, { ...init, headers: { ...headersOf(target), ...(init.headers as object) } })
  const invoke = async (agent: string, body: unknown, headers: Record<string, string> = {}) =>
    at(`/invoke/${agent}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  /** Each of a feature of its own, so that none waits for another. */
  const request = (words = ''): InvokeRequest => {
    const number = 100_000 + Math.floor(Math.random() * 899_999)
    const { workspace } = target
    return {
      workflow_type: 'specify',
      context: {
        feature_id: `${number}-hub-contract` as FeatureId,
        feature_description: `People can export their invoices as a PDF file.${words}`,
        phase: 'phase_1',
      },
      parameters: { attempt: 1, command: 'speckit.specify', ...(workspace !== undefined && { workspace }) },
    }
  }
  const startSlow = async (key: string = randomUUID()) => {
    const { agent, words } = target.slow
    const answer = await invoke(agent, request(words), { prefer: 'respond-async', 'idempotency-key': key })
    expect(answer.status).toBe(202)
    return invocationSchema.parse(await answer.json())
  }
  const get = async (id: string) => invocationSchema.parse(await (await at(`/invocations/${id}`)).json())
  const events = async (id: string, after = 0) => {
    const answer = await at(`/invocations/${id}/events`, { headers: { 'last-event-id': String(after) } })
    const frames = (await answer.text()).split('\n\n').flatMap((frame) => /^data: ?(.*)$/m.exec(frame)?.slice(1) ?? [])
    return frames.map((data) => invocationEventSchema.parse(JSON.parse(data)))
  }
  const isEnded = (status: string) => ['succeeded', 'failed', 'cancelled'].includes(status)

  it('says how it is', async () => {
    expect(hubHealthSchema.parse(await (await at('/health')).json()).status).not.toBe('unhealthy')
  })

  it('lets an agent work, and answers when it is done', { timeout: 600_000 }, async () => {
    const answer = await invoke(target.agent, request())
    expect(answer.status).toBe(200)
    const { success, result, confidence } = invokeResponseSchema.parse(await answer.json())
    expect(success).toBe(true)
    expect(result?.files_created?.length).toBeGreaterThan(0)
    expect(confidence).toBeGreaterThanOrEqual(0)
  })

  it('serves what the orchestrator’s own client asks for, files included', { timeout: 600_000 }, async () => {
    const client = new AgentHubClient({ url: target.url, token: target.token })
    const accepted: string[] = []
    const response = await client.invoke({
      agent: target.agent,
      request: request(),
      key: randomUUID() as AttemptId,
      invocation_id: undefined,
      after: 0,
      traceparent: undefined,
      signal: new AbortController().signal,
      onAccepted: async ({ id }) => void accepted.push(id),
      onUpdate: () => {},
    })
    expect(response.success).toBe(true)
    expect(accepted).toHaveLength(isAsync ? 1 : 0)
    for (const { digest, size } of response.result?.data?.artifacts ?? []) {
      const bytes = await client.getArtifact(digest)
      expect([bytes.byteLength, createHash('sha256').update(bytes).digest('hex')]).toEqual([size, digest])
    }
    await client.close()
  })

  describe.skipIf(!isAsync)('as it offers more than the plain interface (GET /agents)', () => {
    it('lists its agents', async () => {
      const { items, default: standard } = hubAgentsSchema.parse(await (await at('/agents')).json())
      expect(items.map(({ name }) => name)).toContain(standard)
    })

    it('tells the highest feature number of a workspace', async () => {
      const name = target.workspace ?? 'default'
      expect(hubWorkspaceSchema.parse(await (await at(`/workspaces/${name}`)).json()).name).toBe(name)
    })

    it('refuses an agent that it does not know, and a body that makes no sense', async () => {
      const unknown = await invoke('nobody-of-this-name', request())
      expect(unknown.status).toBe(404)
      expect(JSON.stringify(refusalSchema.parse(await unknown.json()))).toContain('AGENT_NOT_FOUND')
      const bad = await invoke(target.agent, { workflow_type: 'dance' })
      expect([400, 422]).toContain(bad.status)
      refusalSchema.parse(await bad.json())
    })

    it('takes work on under a key once: the same request is attached, another one refused', async () => {
      const key = randomUUID()
      const { agent, words } = target.slow
      const body = request(words)
      const again = async (body: InvokeRequest) =>
        invoke(agent, body, { prefer: 'respond-async', 'idempotency-key': key })
      const [first, second] = await Promise.all([again(body), again(body)])
      const ids = [invocationSchema.parse(await first.json()).id, invocationSchema.parse(await second.json()).id]
      expect(new Set(ids).size).toBe(1)
      expect((await again(request(words))).status).toBe(422)
      await at(`/invocations/${ids[0]}/cancel`, { method: 'POST' })
      await expect.poll(async () => isEnded((await get(ids[0]!)).status), { timeout: 30_000 }).toBe(true)
      // Attached to what is finished, too.
      expect(invocationSchema.parse(await (await again(body)).json()).id).toBe(ids[0])
    })

    it('cancels by id, and the stream of events ends with it', async () => {
      const { id } = await startSlow()
      expect((await at(`/invocations/${id}/cancel`, { method: 'POST' })).status).toBe(200)
      const told = await events(id)
      expect(told.at(-1)?.type).toBe('invocation.finished')
      expect(isEnded((await get(id)).status)).toBe(true)
      expect(told.map(({ sequence }) => sequence)).toEqual(told.map((_event, index) => index + 1))
      expect(await events(id, 1)).toEqual(told.slice(1))
    })

    it('cancels by key, for who never learnt the id', async () => {
      const key = randomUUID()
      const { id } = await startSlow(key)
      const answer = await at('/invocations/cancel', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ idempotency_key: key }),
      })
      expect(answer.status).toBe(200)
      await expect.poll(async () => isEnded((await get(id)).status), { timeout: 30_000 }).toBe(true)
    })

    it('says 404 for what it does not know', async () => {
      const unknown = randomUUID()
      for (const [method, path] of [
        ['GET', `/invocations/${unknown}`],
        ['GET', `/invocations/${unknown}/events`],
        ['POST', `/invocations/${unknown}/cancel`],
        ['GET', `/artifacts/${'0'.repeat(64)}`],
        ['GET', '/workspaces/nowhere-at-all'],
      ] as const)
        expect([path, (await at(path, { method })).status]).toEqual([path, 404])
    })
  })
})

describe('a hub that has too much to do', () => {
  it('says 429 with Retry-After, and the client tells when to come again', async () => {
    plain.next(refuse(429, 'RATE_LIMITED', 'Too much at once.', { 'retry-after': '7' }))
    const client = new AgentHubClient({ url: plain.url, token: undefined })
    const refused = client.invoke({
      agent: 'demo',
      request: {
        workflow_type: 'specify',
        context: { feature_id: '001-x' as FeatureId, feature_description: 'Ten letters.', phase: 'phase_1' },
        parameters: {},
      },
      key: randomUUID() as AttemptId,
      invocation_id: undefined,
      after: 0,
      traceparent: undefined,
      signal: new AbortController().signal,
      onAccepted: async () => {},
      onUpdate: () => {},
    })
    await expect(refused).rejects.toMatchObject({ transient: true, retry_after_ms: 7000 })
    await client.close()
  })
})
