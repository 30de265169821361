/**
 * What authentication and the audit cost: full lifecycles over HTTP, 16 clients. On: a service that is open to
 * others, every request with a key, checkpoints signed beside the database. Off: loopback without a key and
 * without checkpoints. Side by side and interleaved. The chain itself is always on: it is part of the step,
 * and its share is told from its own cost.
 *
 *   node bench/audit-cost.ts [rounds=5] [seconds=4]
 */
import { randomUUID } from 'node:crypto'
import { hashOfRow } from '@orchestrator/audit'

import { runLifecycles } from './lifecycle.ts'
import { startService, withFolder } from './service-process.ts'
import { median, report } from './statistics.ts'

const [rounds = 5, seconds = 4] = process.argv.slice(2).map(Number)
const CLIENTS = 16
/** History rows of one lifecycle. */
const ROWS = 5

/** Milliseconds that linking one row takes. */
function linkMs(): number {
  const id = randomUUID()
  const row = {
    workflow_id: id,
    sequence: 1,
    id,
    from_status: 'waiting_approval',
    to_status: 'in_progress',
    trigger: 'human_approved',
    actor: 'Robin',
    key_id: '0123456789ab',
    request_id: id,
    address: '192.0.2.7',
    phase: 'phase_1',
    attempt: 1,
    attempt_id: id,
    digest: 'a'.repeat(64),
    metadata: '{"approved":true}',
    words_hash: null,
    created_at: '2026-01-31T12:00:00.000Z',
  }
  let hash = ''
  const began = process.cpuUsage()
  for (let n = 0; n < 100_000; n++) hash = hashOfRow(hash, row)
  const { user, system } = process.cpuUsage(began)
  return (user + system) / 1000 / 100_000
}

await withFolder(async (folder) => {
  const common = { PORT: '0', PHASE_EXECUTION: 'external' }
  const off = await startService('orchestrator', { ...common, DATABASE_URL: `sqlite:///${folder}/off.db` })
  // A key works on loopback, too, where making one needs none.
  const on = await startService('orchestrator', {
    ...common,
    DATABASE_URL: `sqlite:///${folder}/on.db`,
    REQUESTS_PER_MINUTE: '1000000',
    FOUR_EYES: 'off',
  })
  const made = await fetch(`${on.url}/keys`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench', role: 'admin' }),
  })
  const { key } = (await made.json()) as { key: string }
  const shares: number[] = []
  for (let round = 0; round <= rounds; round++) {
    const without = await runLifecycles(off.url, { clients: CLIENTS, seconds })
    const together = await runLifecycles(on.url, { clients: CLIENTS, seconds, key })
    const share = 1 - together.workflows_per_second / without.workflows_per_second
    console.log(
      `round ${round}: ${without.workflows_per_second.toFixed(0)} workflows/s without, ${together.workflows_per_second.toFixed(0)} with a key`,
    )
    // The first one warms both up.
    if (round > 0) shares.push(share + (linkMs() * ROWS * without.workflows_per_second) / 1000)
  }
  await Promise.all([off.stop(), on.stop()])
  const held = report('throughput that authentication and audit cost, median', median(shares) * 100, '%', {
    at_most: 10,
  })
  process.exitCode = held ? 0 : 1
})
