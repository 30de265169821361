import { DatabaseSync } from 'node:sqlite'

import { afterEach, beforeEach, expect, it } from 'vitest'

import { gate, startPlainHub, type PlainHub } from '../plain-hub.ts'
import { startService, type Service } from '../service.ts'

let hub: PlainHub
let service: Service

beforeEach(async () => {
  hub = await startPlainHub()
  service = await startService({ hub: hub.url, env: { MAX_CONCURRENT_PHASES: '1' } })
})
afterEach(async () => {
  await service.close()
  await hub.close()
})

/** Statements of somebody else in the service's own file. */
function inFile(...statements: string[]): void {
  const database = new DatabaseSync(`${service.folder}/orchestrator.db`)
  for (const statement of statements) database.exec(statement)
  database.close()
}
const FULL = `select raise(abort, 'database or disk is full')`

it('goes on with a phase whose answer could not be stored, as soon as it can', async () => {
  const gated = gate()
  hub.next(gated.behaviour)
  const { id, attempt } = await service.create()
  await expect.poll(() => hub.received.length).toBe(1)
  inFile(`create trigger full before insert on workflow_history begin ${FULL}; end`)
  gated.open()
  await expect.poll(() => hub.received.length).toBeGreaterThan(1)
  expect((await service.get(id)).status).toBe('in_progress')
  expect((await service.request('GET', '/health')).status).toBe(200)
  inFile('drop trigger full')
  await service.until(id, 'waiting_approval')
  expect(new Set(hub.received.map(({ key }) => key))).toEqual(new Set([attempt?.id]))
  expect((await service.history(id)).map(({ trigger }) => trigger)).toEqual(['start', 'agent_complete'])
})

it('answers 507 for what could not be stored, keeps nothing of it, and recovers', async () => {
  inFile(`create trigger full before insert on attempts begin ${FULL}; end`)
  const body = { workflow_type: 'specify', feature_description: 'Something for a full disk' }
  const answer = await service.request('POST', '/workflows', body, { 'idempotency-key': 'k' })
  expect([answer.status, answer.body.error.code]).toEqual([507, 'STORAGE_FULL'])
  expect((await service.request('GET', '/workflows')).body.items).toEqual([])
  expect((await service.request('GET', '/features')).body.items).toEqual([])
  inFile('drop trigger full')
  const again = await service.request('POST', '/workflows', body, { 'idempotency-key': 'k' })
  expect([again.status, again.body.feature_id]).toEqual([201, '001-something-full-disk'])
})

it('does not let one that cannot be read hold up the others', async () => {
  const gated = gate()
  hub.next(gated.behaviour)
  await service.create()
  const poisoned = await service.create()
  const healthy = await service.create()
  inFile(`update workflows set context = '{' where id = '${poisoned.id}'`)
  gated.open()
  await service.until(healthy.id, 'waiting_approval')
  inFile(`update workflows set context = null where id = '${poisoned.id}'`)
  await service.until(poisoned.id, 'waiting_approval')
})
