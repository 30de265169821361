import { dirname, join, resolve } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { probeSandbox } from '../../src/acp/sandbox.ts'
import { openToolEndpoint, type ToolEndpoint } from '../../src/acp/tool-endpoint.ts'
import type { AgentProfile, AgentResult } from '../../src/core/ports.ts'
import { createAcpFixture, stub_path, stubProfile } from '../acp-fixture.ts'

const HANDED_IN = { confidence: 70, files: [], open_questions: [], threads: [] }

describe('an agent with the hub’s tools', () => {
  const agent: AgentProfile = { ...stubProfile(), mcp_transport: 'http' }

  it('hands in its result', async () => {
    await using fixture = await createAcpFixture()
    const outcome = await fixture.driver.run(fixture.turn('stub: submit 70', { agent }))

    expect(outcome).toMatchObject({ kind: 'ended', result: { ...HANDED_IN, summary: 'Handed in, Turn 1' } })
  })

  it('does so in every turn of a session that is kept', async () => {
    await using fixture = await createAcpFixture()
    await fixture.driver.run(fixture.turn('stub: submit 70', { agent }))
    const silent = await fixture.driver.run(fixture.turn('stub: say nothing new', { agent }))
    const again = await fixture.driver.run(fixture.turn('stub: submit 20', { agent }))

    expect(silent).toMatchObject({ kind: 'ended', result: null })
    expect(again).toMatchObject({ kind: 'ended', result: { summary: 'Handed in, Turn 3', confidence: 20 } })
  })

  it('is told what does not fit, and nothing is taken', async () => {
    await using fixture = await createAcpFixture()
    const outcome = await fixture.driver.run(fixture.turn('stub: submit-badly', { agent }))

    expect(outcome).toMatchObject({ kind: 'ended', result: null })
    expect(outcome).toHaveProperty('text', expect.stringContaining('"isError":true'))
  })

  it('has none when its profile says so', async () => {
    await using fixture = await createAcpFixture()
    const outcome = await fixture.driver.run(fixture.turn('stub: submit 70'))

    expect(outcome).toHaveProperty('text', expect.stringContaining('no tools'))
  })
})

const sandbox = await probeSandbox({ setting: 'auto', env: process.env })

describe.skipIf(sandbox.kind !== 'bubblewrap')('within the sandbox (needs: apt-get install bubblewrap)', () => {
  const repository = resolve(dirname(stub_path), '../../..')
  const read_only = [
    dirname(process.execPath),
    join(repository, 'node_modules'),
    join(repository, 'services/agent-hub'),
  ]
  const program = sandbox.kind === 'bubblewrap' ? sandbox.program : ''

  it.each([
    ['without a network', 'none'],
    ['with the network of the machine', 'machine'],
  ] as const)('the tools are reached %s', async (_, network) => {
    await using fixture = await createAcpFixture()
    const agent: AgentProfile = {
      ...stubProfile(),
      mcp_transport: 'http',
      sandbox: { program, read_only, network },
    }
    const outcome = await fixture.driver.run(fixture.turn('stub: submit 70', { agent }))

    expect(outcome).toMatchObject({ kind: 'ended', result: { confidence: 70 } })
  })
})

describe('the endpoint', () => {
  let endpoint: ToolEndpoint
  let taken: AgentResult[]

  beforeEach(async () => {
    taken = []
    endpoint = await openToolEndpoint({ walled: false, deliver: (result) => taken.push(result) > 0 })
  })
  afterEach(async () => {
    await endpoint.close()
  })

  const own = () => ({ authorization: endpoint.server.headers[0]!.value })
  const send = async (message: unknown, headers: Record<string, string> = own()) =>
    fetch(endpoint.server.url, { method: 'POST', headers, body: JSON.stringify(message) })
  const call = (given: unknown) => ({
    jsonrpc: '2.0',
    id: 1,
    method: 'tools/call',
    params: { name: 'submit_result', arguments: given },
  })

  it('listens on loopback only', () => {
    expect(endpoint.server.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp$/)
  })

  it.each([
    ['no token', 401, {}],
    ['another token', 401, { authorization: `Bearer ${'x'.repeat(43)}` }],
  ])('refuses %s', async (_, status, headers) => {
    const answer = await send(call({ summary: 'x', confidence: 100 }), headers)

    expect([answer.status, taken]).toEqual([status, []])
  })

  it('refuses a page in a browser, other methods and other paths', async () => {
    const page = await send(call({ summary: 'x', confidence: 1 }), { ...own(), origin: 'http://127.0.0.1:8000' })
    const stream = await fetch(endpoint.server.url, { headers: own() })
    const elsewhere = await fetch(`${endpoint.server.url}/x`, { method: 'POST', headers: own() })

    expect([page.status, stream.status, elsewhere.status, taken]).toEqual([403, 405, 404, []])
  })

  it('speaks the version that it is asked for, and its newest otherwise', async () => {
    const initialize = (protocolVersion: string) => ({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion },
    })

    expect(await (await send(initialize('2025-03-26'))).json()).toMatchObject({
      result: { protocolVersion: '2025-03-26' },
    })
    expect(await (await send(initialize('1999-01-01'))).json()).toMatchObject({
      result: { protocolVersion: '2025-11-25' },
    })
  })

  it.each([
    ['no JSON-RPC', { hello: 1 }, -32_600],
    ['a list of calls', [call({})], -32_600],
    ['an unknown method', { jsonrpc: '2.0', id: 1, method: 'resources/list' }, -32_601],
    ['an unknown tool', { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'rm' } }, -32_602],
  ])('answers %s with an error', async (_, message, code) => {
    expect(await (await send(message)).json()).toMatchObject({ error: { code } })
  })

  it('refuses a body beyond its limit', async () => {
    const answer = await send(call({ summary: 'x'.repeat(5_000_000), confidence: 1 })).catch(() => undefined)

    expect([answer?.status ?? 413, taken]).toEqual([413, []])
  })
})
