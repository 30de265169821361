import { rm } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'

import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'

import { startPlainHub, type PlainHub } from '../../services/orchestrator/tests/plain-hub.ts'
import { startPostgres } from '../../services/orchestrator/tests/postgres-server.ts'
import { clientOf, temporaryFolder } from '../../services/orchestrator/tests/service.ts'
import { startHub, startProcess, STUB, type ServiceProcess } from '../../services/orchestrator/tests/service-process.ts'
import { limit, scale, tell } from './scale.ts'
import { startTcpFaultProxy, type TcpFaultProxy } from './tcp-fault-proxy.ts'

const postgres = await startPostgres()
afterAll(() => postgres.stop())

/** In `npm test` with what a loaded machine adds. */
const NOTICED_MS = limit(15_000 + 30_000, 15_000)
const ROUNDS = scale(1, 5)

let folder: string
let proxy: TcpFaultProxy
let service: ServiceProcess | undefined
let hub: ServiceProcess | PlainHub | undefined

beforeEach(async () => {
  folder = await temporaryFolder()
  service = undefined
  hub = undefined
})
afterEach(async () => {
  await service?.kill()
  await (hub !== undefined && 'kill' in hub ? hub.kill() : hub?.close())
  await proxy.close()
  await rm(folder, { recursive: true, force: true })
})

const title = postgres.missing === undefined ? 'a half-open database' : `a database, skipped: ${postgres.missing}`

describe.skipIf(postgres.missing !== undefined)(title, () => {
  it('is answered with 503 in time, and forgotten when it is back', async () => {
    const plain = await startPlainHub()
    hub = plain
    const url = new URL(await postgres.createDatabase())
    proxy = await startTcpFaultProxy({ port: Number(url.port) })
    const env = { DATABASE_URL: Object.assign(url, { port: String(proxy.port) }).href, AGENT_HUB_URL: plain.url }
    service = await startProcess(folder, env)
    const client = clientOf(service.url)
    const first = await client.create()
    await client.until(first.id, 'waiting_approval')
    const noticed_ms: number[] = []
    const recovered_ms: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const body = { workflow_type: 'specify', feature_description: `Something new, number ${round}` }
      const key = { 'idempotency-key': `round-${round}` }
      const asks = [
        () => client.request('POST', '/workflows', body, key),
        () => client.request('GET', `/workflows/${first.id}`),
        () => client.request('GET', '/health'),
      ]
      proxy.blackHole()
      const began = performance.now()
      const answers = await Promise.all(
        asks.map(async (ask) => {
          const { status } = await ask()
          noticed_ms.push(performance.now() - began)
          return status
        }),
      )
      expect(answers).toEqual([503, 503, 503])

      proxy.heal()
      const healed = performance.now()
      await expect
        .poll(async () => (await client.request('POST', '/workflows', body, key)).status, { timeout: 60_000 })
        .toBe(201)
      const { id } = (await client.request('POST', '/workflows', body, key)).body
      await expect.poll(async () => (await client.get(id)).status, { timeout: 60_000 }).toBe('waiting_approval')
      recovered_ms.push(performance.now() - healed)
    }
    tell('R6 database', {
      rounds: ROUNDS,
      'answered 503 after at most ms': Math.max(...noticed_ms),
      'phases go on after at most ms': Math.max(...recovered_ms),
    })
    expect(Math.max(...noticed_ms)).toBeLessThan(NOTICED_MS)
    expect(Math.max(...recovered_ms)).toBeLessThan(NOTICED_MS)
    expect((await client.request('GET', '/workflows')).body.items).toHaveLength(ROUNDS + 1)
  })
})

describe('a half-open hub', () => {
  const invocations = () => {
    const database = new DatabaseSync(`${folder}/data/agent-hub.db`, { readOnly: true })
    const [row] = database.prepare('select count(*) as count from invocations').all()
    database.close()
    return Number(row?.['count'])
  }
  const begin = async () => {
    const real = await startHub(folder, { HUB_MEMORY_MB: '100000', ALLOWED_HOSTS: '127.0.0.1' })
    hub = real
    proxy = await startTcpFaultProxy({ port: Number(new URL(real.url).port) })
    const env = { AGENT_HUB_URL: `http://127.0.0.1:${proxy.port}`, AGENT_NAME: STUB, PHASE_RETRY_BASE_MS: '1000' }
    service = await startProcess(folder, env)
    return clientOf(service.url)
  }

  it('is noticed while an agent works, and its outcome fetched', async () => {
    const client = await begin()
    const took_ms: number[] = []
    for (let round = 0; round < ROUNDS; round++) {
      const { id } = await client.create({ feature_description: 'Something that takes a while\nstub: sleep 1500' })
      await expect.poll(async () => (await client.attempts(id))[0]?.invocation_id, { timeout: 30_000 }).not.toBeNull()
      proxy.blackHole()
      const began = performance.now()
      proxy.heal()
      await expect.poll(async () => (await client.get(id)).status, { timeout: 60_000 }).toBe('waiting_approval')
      took_ms.push(performance.now() - began)
      expect(invocations()).toBe(round + 1)
    }
    tell('R6 hub, with an agent at work', { rounds: ROUNDS, 'outcome fetched after at most ms': Math.max(...took_ms) })
    expect(Math.max(...took_ms)).toBeLessThan(NOTICED_MS)
  })

  it.each([
    ['before it was ever met', 0],
    ['met before', 1],
  ])('%s is noticed when work is handed to it', async (_when, met) => {
    const client = await begin()
    for (let workflow = 0; workflow < met; workflow++) {
      const { id } = await client.create()
      await client.until(id, 'waiting_approval')
    }
    proxy.blackHole()
    const began = performance.now()
    const { id } = await client.create()
    await expect
      .poll(async () => (await client.get(id)).attempt, { timeout: 60_000 })
      .toMatchObject({
        state: 'backing_off',
        reason: expect.stringContaining('cannot be reached') as string,
      })
    const noticed_ms = performance.now() - began
    proxy.heal()
    await expect.poll(async () => (await client.get(id)).status, { timeout: 60_000 }).toBe('waiting_approval')
    tell('R6 hub, with work for it', { 'noticed after ms': noticed_ms })
    expect(noticed_ms).toBeLessThan(NOTICED_MS)
    expect(invocations()).toBe(met + 1)
  })
})
