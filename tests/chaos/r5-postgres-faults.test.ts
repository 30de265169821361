import { rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'

import { startPlainHub, type PlainHub } from '../../services/orchestrator/tests/plain-hub.ts'
import { startPostgres } from '../../services/orchestrator/tests/postgres-server.ts'
import { clientOf, temporaryFolder } from '../../services/orchestrator/tests/service.ts'
import { startProcess, type ServiceProcess } from '../../services/orchestrator/tests/service-process.ts'
import { audit, KEPT } from './audit.ts'
import { startLoad, type Load } from './load.ts'
import { limit, percentile, scale, tell } from './scale.ts'
import { startTcpFaultProxy } from './tcp-fault-proxy.ts'

const postgres = await startPostgres()
afterAll(() => postgres.stop())

const ACKNOWLEDGED = scale(150, 25_000)
/** A restarted server needs about a second; the machine may be slow. */
const STALL_MS = limit(30_000, 3_000)
const CLIENTS = 16
const KILL_EVERY_MS = 60
const RESTART_EVERY_MS = limit(2_000, 7_000)
const STATEMENTS = scale(8, 60)
const PHASES = scale(12, 200)

let folder: string
let hub: PlainHub
let service: ServiceProcess | undefined
let database_url: string

beforeEach(async () => {
  folder = await temporaryFolder()
  hub = await startPlainHub()
  service = undefined
})
afterEach(async () => {
  await service?.kill()
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

const start = async (env: Record<string, string>) => (service = await startProcess(folder, env))
const rows = (sql: string) => postgres.query(database_url, sql)

/** Ends up to four connections of the service, whatever they are doing. */
async function killConnections(): Promise<number> {
  const killed = await rows(
    `select pg_terminate_backend(pid) from
      (select pid from pg_stat_activity where application_name like 'orchestrator%' order by random() limit 4) as chosen`,
  ).catch(() => [])
  return killed.length
}

async function expectKept({ ledger }: Load) {
  const found = await audit(ledger, rows)
  expect({ ...found, unexpected: ledger.unexpected }).toEqual({ ...KEPT, unexpected: [] })
}

const title = postgres.missing === undefined ? 'Postgres in trouble' : `Postgres, skipped: ${postgres.missing}`

describe.skipIf(postgres.missing !== undefined)(title, () => {
  it('connections killed all the time and the server restarted lose and double nothing', async () => {
    database_url = await postgres.createDatabase()
    const { url } = await start({ DATABASE_URL: database_url, PHASE_EXECUTION: 'external' })
    const load = startLoad({ url: () => url, clients: CLIENTS })
    const enough = new AbortController()
    let killed = 0
    let restarts = 0
    const killing = (async () => {
      while (!enough.signal.aborted) {
        killed += await killConnections()
        // Not so often that a slow machine comes to nothing in between.
        await Promise.all([sleep(KILL_EVERY_MS), load.more(1)])
      }
    })()
    const restarting = (async () => {
      while (!enough.signal.aborted) {
        await Promise.all([
          sleep(RESTART_EVERY_MS, undefined, { signal: enough.signal }).catch(() => {}),
          load.more(CLIENTS),
        ])
        // Every other time as a crash: the server has to replay its log.
        if (!enough.signal.aborted) await postgres.restart(restarts++ % 2 === 0 ? 'in order' : 'crash')
      }
    })()
    await load.more(ACKNOWLEDGED)
    await expect.poll(() => restarts, { timeout: 60_000 }).toBeGreaterThanOrEqual(2)
    enough.abort()
    await Promise.all([killing, restarting])
    await load.stop()
    const p99 = percentile(load.ledger.took_ms, 99)
    tell('R5', {
      acknowledged: load.ledger.acknowledged,
      'connections killed': killed,
      'server restarts': restarts,
      'answers 503': load.ledger.refused.get(503) ?? 0,
      'request p50 ms': percentile(load.ledger.took_ms, 50),
      'request p99 ms': p99,
    })
    await expectKept(load)
    expect(killed).toBeGreaterThan(ACKNOWLEDGED / 100)
    expect(p99).toBeLessThan(STALL_MS)
  })

  it.each(['before', 'after'] as const)('a connection cut %s any statement loses and doubles nothing', async (side) => {
    database_url = await postgres.createDatabase()
    const server = new URL(database_url)
    const proxy = await startTcpFaultProxy({ port: Number(server.port) })
    const through = Object.assign(new URL(database_url), { port: String(proxy.port) }).href
    const { url } = await start({ DATABASE_URL: through, PHASE_EXECUTION: 'external' })
    const load = startLoad({ url: () => url, clients: 1 })
    for (let statement = 1; statement <= STATEMENTS; statement++) {
      proxy.cut(statement, side)
      while (proxy.cuts() < statement) await load.more(1)
    }
    await load.stop()
    tell(`R5 connections cut ${side} the n-th statement`, {
      cuts: proxy.cuts(),
      acknowledged: load.ledger.acknowledged,
    })
    await expectKept(load)
    expect(proxy.cuts()).toBe(STATEMENTS)
    await service?.kill()
    await proxy.close()
  })

  it('phases that run meanwhile end once each', async () => {
    database_url = await postgres.createDatabase()
    const { url } = await start({ DATABASE_URL: database_url, AGENT_HUB_URL: hub.url, MAX_CONCURRENT_PHASES: '16' })
    const client = clientOf(url)
    const enough = new AbortController()
    let killed = 0
    const killing = (async () => {
      while (!enough.signal.aborted) {
        killed += await killConnections()
        await sleep(KILL_EVERY_MS)
      }
    })()
    const ids: string[] = []
    for (let phase = 0; phase < PHASES; phase++) {
      const body = { workflow_type: 'specify', feature_description: 'Something that must run once' }
      const make = () => client.request('POST', '/workflows', body, { 'idempotency-key': `phase-${phase}` })
      let made = await make()
      // Whose answer to COMMIT was cut off is told to ask again, and gets the same workflow.
      while (made.status === 503) made = await make()
      ids.push(made.body.id)
    }
    for (const id of ids) await client.until(id, 'waiting_approval')
    enough.abort()
    await killing
    // A question over a connection that was just ended is answered with 503.
    const triggers = async () =>
      Promise.all(ids.map(async (id) => (await client.history(id)).map(({ trigger }) => trigger)))
    await expect.poll(triggers).toEqual(ids.map(() => ['start', 'agent_complete']))
    const attempts = await rows('select count(*)::int as attempts from attempts')
    tell('R5 phases', { phases: PHASES, 'connections killed': killed, attempts: Number(attempts[0]?.['attempts']) })
    expect(attempts).toEqual([{ attempts: PHASES }])
    expect(killed).toBeGreaterThan(0)
  })
})
