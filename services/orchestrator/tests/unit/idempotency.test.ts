import type { Workflow } from '@orchestrator/contract'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { IdempotentWriter, type Idempotency } from '../../src/core/idempotency.ts'
import type { Session } from '../../src/db/session.ts'
import { openMemoryStore } from '../memory-session.ts'

let session: Session
let writer: IdempotentWriter

beforeEach(async () => {
  const opened = await openMemoryStore()
  session = opened.session
  writer = new IdempotentWriter(opened.store, () => '2026-01-31T12:00:00.000Z')
})
afterEach(() => session.close())

const answer = (id: string) => ({ id, context: { priority: 'P1' } }) as unknown as Workflow
const idempotency: Idempotency = { key: 'k', body_digest: 'd' }

it('does what it is asked every time without a key', async () => {
  const fn = vi.fn(async () => answer('a'))
  await Promise.all([writer.write(undefined, fn), writer.write(undefined, fn)])
  expect(fn).toHaveBeenCalledTimes(2)
})

it('does it once per key, and gives the answer again', async () => {
  const fn = vi.fn(async () => answer(crypto.randomUUID()))
  const first = await writer.write(idempotency, fn)
  expect(await writer.write({ ...idempotency }, fn)).toEqual(first)
  expect(fn).toHaveBeenCalledTimes(1)
})

it('refuses the same key while the first request is carried out, and no other', async () => {
  const fn = vi.fn(async () => answer(crypto.randomUUID()))
  const [first, second, other] = await Promise.allSettled([
    writer.write(idempotency, fn),
    writer.write(idempotency, fn),
    writer.write({ ...idempotency, key: 'another' }, fn),
  ])
  expect([first.status, second.status, other.status]).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  expect(second).toMatchObject({ reason: { code: 'IDEMPOTENCY_IN_FLIGHT' } })
  expect(fn).toHaveBeenCalledTimes(2)
})

it('refuses another body under the same key', async () => {
  await writer.write(idempotency, async () => answer('a'))
  await expect(writer.write({ key: 'k', body_digest: 'other' }, async () => answer('b'))).rejects.toMatchObject({
    code: 'IDEMPOTENCY_MISMATCH',
  })
})

it('remembers nothing of what failed', async () => {
  await expect(writer.write(idempotency, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await writer.write(idempotency, async () => answer('second'))).toEqual(answer('second'))
})
