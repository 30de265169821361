import type { Workflow } from '@orchestrator/contract'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { once, type Idempotency } from '../../src/core/idempotency.ts'
import type { WorkflowStore } from '../../src/core/ports.ts'
import type { Session } from '../../src/db/session.ts'
import { openMemoryStore } from '../memory-session.ts'

let session: Session
let store: WorkflowStore

beforeEach(async () => {
  ;({ session, store } = await openMemoryStore())
})
afterEach(() => session.close())

const now = '2026-01-31T12:00:00.000Z'
const answer = (id: string) => ({ id, context: { priority: 'P1' } }) as unknown as Workflow
const ask = (idempotency: Idempotency | undefined, fn: () => Promise<Workflow>) =>
  store.write((tx) => once(tx, idempotency, now, fn))

it('does what it is asked every time without a key', async () => {
  const fn = vi.fn(async () => answer('a'))
  await ask(undefined, fn)
  await ask(undefined, fn)
  expect(fn).toHaveBeenCalledTimes(2)
})

it('does it once per key, also when asked many times at once', async () => {
  const fn = vi.fn(async () => answer(crypto.randomUUID()))
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask({ key: 'k', body_digest: 'd' }, fn)))
  expect(fn).toHaveBeenCalledTimes(1)
  expect(new Set(answers.map((one) => JSON.stringify(one))).size).toBe(1)
})

it('refuses another body under the same key', async () => {
  await ask({ key: 'k', body_digest: 'd' }, async () => answer('a'))
  await expect(ask({ key: 'k', body_digest: 'other' }, async () => answer('b'))).rejects.toMatchObject({
    code: 'IDEMPOTENCY_MISMATCH',
  })
})

it('remembers nothing of what failed', async () => {
  const idempotency = { key: 'k', body_digest: 'd' }
  await expect(ask(idempotency, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(await ask(idempotency, async () => answer('second'))).toEqual(answer('second'))
})
