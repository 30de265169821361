/**
 * The same lifecycle in one process: ours on SQLite, and graphile-worker on Postgres, in turn in one run.
 * Create, and per phase "the agent is done" and "a person approves", each a durable step with its row of the
 * history; the agent answers at once.
 *
 *   cd bench/engines && npm install && npm start -- [workflows=1000] [rounds=3] [concurrency=64]
 */
import { Logger, makeWorkerUtils, run } from 'graphile-worker'
import pg from 'pg'

import { startPostgres } from '../../services/orchestrator/tests/postgres-server.ts'
import { BENCH, createProcessless } from '../orchestrator-core.ts'
import { withFolder } from '../service-process.ts'
import { median, report } from '../statistics.ts'

const [count = 1000, rounds = 3, concurrency = 64] = process.argv.slice(2).map(Number)
const PHASES = 2

async function inParallel(work: () => Promise<void>): Promise<number> {
  let left = count
  const began = performance.now()
  const one = async () => {
    while (left-- > 0) await work()
  }
  await Promise.all(Array.from({ length: concurrency }, one))
  return (count * 1000) / (performance.now() - began)
}

async function openOurs(folder: string) {
  const { machine, close } = await createProcessless(`sqlite:///${folder}/ours.db`)
  const lifecycle = async () => {
    const { id } = await machine.create(
      { workflow_type: 'specify', feature_description: 'Add user authentication with OAuth2' },
      BENCH,
    )
    for (let phase = 0; phase < PHASES; phase++) {
      await machine.advance(id, { trigger: 'agent_complete', phase_result: { output: 'done' } }, BENCH)
      await machine.advance(id, { trigger: 'human_approved' }, BENCH)
    }
  }
  return { round: () => inParallel(lifecycle), close }
}

async function openGraphile(connectionString: string) {
  const pool = new pg.Pool({ connectionString, max: 20 })
  pool.on('error', () => {})
  await pool.query(`create table workflows (id uuid primary key, status text not null, phase int not null, result text);
    create table workflow_history (id bigint generated always as identity primary key, workflow_id uuid not null,
      from_status text not null, to_status text not null, trigger text not null, created_at timestamptz not null default now())`)
  // Ours writes no log here either.
  const logger = new Logger(() => () => {})
  const utils = await makeWorkerUtils({ pgPool: pool, logger })
  await utils.migrate()
  const waiting = new Map<string, () => void>()

  const inTransaction = async (fn: (client: pg.PoolClient) => Promise<void>) => {
    const client = await pool.connect()
    try {
      await client.query('begin')
      await fn(client)
      await client.query('commit')
    } finally {
      client.release()
    }
  }
  const step = (client: pg.PoolClient, id: string, from: string, to: string, trigger: string) =>
    client.query(
      'insert into workflow_history (workflow_id, from_status, to_status, trigger) values ($1, $2, $3, $4)',
      [id, from, to, trigger],
    )
  const enqueue = (client: pg.PoolClient, id: string) =>
    client.query(`select graphile_worker.add_job('phase', json_build_object('id', $1::text))`, [id])

  const runner = await run({
    pgPool: pool,
    concurrency: 16,
    pollInterval: 1000,
    noHandleSignals: true,
    logger,
    taskList: {
      phase: async (payload) => {
        const { id } = payload as { id: string }
        await inTransaction(async (client) => {
          await client.query(
            `update workflows set status = 'waiting_approval', result = 'done' where id = $1 and status = 'in_progress'`,
            [id],
          )
          await step(client, id, 'in_progress', 'waiting_approval', 'agent_complete')
        })
        waiting.get(id)?.()
      },
    },
  })
  const lifecycle = async () => {
    const id = crypto.randomUUID()
    for (let phase = 1; phase <= PHASES; phase++) {
      const reviewable = new Promise<void>((resolve) => waiting.set(id, resolve))
      await inTransaction(async (client) => {
        if (phase === 1)
          await client.query(`insert into workflows (id, status, phase) values ($1, 'in_progress', 1)`, [id])
        else await client.query(`update workflows set status = 'in_progress', phase = $2 where id = $1`, [id, phase])
        await step(
          client,
          id,
          phase === 1 ? 'pending' : 'waiting_approval',
          'in_progress',
          phase === 1 ? 'start' : 'human_approved',
        )
        await enqueue(client, id)
      })
      await reviewable
    }
    waiting.delete(id)
    await inTransaction(async (client) => {
      await client.query(`update workflows set status = 'completed' where id = $1`, [id])
      await step(client, id, 'waiting_approval', 'completed', 'human_approved')
    })
  }
  return {
    round: () => inParallel(lifecycle),
    async close() {
      await runner.stop()
      await utils.release()
      await pool.end()
    },
  }
}

await withFolder(async (folder) => {
  const postgres = await startPostgres()
  if (postgres.missing !== undefined) throw new Error(postgres.missing)
  const ours = await openOurs(folder)
  const graphile = await openGraphile(await postgres.createDatabase())
  const rates = { ours: [] as number[], graphile: [] as number[] }
  for (let round = 0; round <= rounds; round++) {
    const one = await ours.round()
    const other = await graphile.round()
    // The first warms both up.
    if (round === 0) continue
    rates.ours.push(one)
    rates.graphile.push(other)
    console.log(`round ${round}: ours ${one.toFixed(0)}/s, graphile-worker ${other.toFixed(0)}/s`)
  }
  await ours.close()
  await graphile.close()
  await postgres.stop()
  const ratio = median(rates.ours) / median(rates.graphile)
  process.exitCode = report('ours on SQLite beside graphile-worker on Postgres', ratio, 'times', { at_least: 6 })
    ? 0
    : 1
})
