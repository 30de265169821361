import { afterEach, beforeEach, expect, it } from 'vitest'

import { Keys, ROLES } from '../../src/core/keys.ts'
import { sha256 } from '../../src/core/outcome.ts'
import { createKeyStore } from '../../src/db/key-store.ts'
import type { Session } from '../../src/db/session.ts'
import { createDrivenClock, type DrivenClock } from '../driven-clock.ts'
import { openMemoryStore } from '../memory-session.ts'

let session: Session
let clock: DrivenClock
let keys: Keys

beforeEach(async () => {
  ;({ session } = await openMemoryStore())
  clock = createDrivenClock()
  keys = new Keys(createKeyStore(session), () => clock.now())
})
afterEach(() => session.close())

const idOf = (key: string) => key.split('_')[1] ?? ''
const change = (key: string, columns: { expires_at?: string; revoked_at?: string }) =>
  session.write((tx) => tx.updateTable('keys').set(columns).where('id', '=', idOf(key)).execute())

it.each(ROLES)('makes a key for a %s, and knows who holds it', async (role) => {
  expect(await keys.hasAny()).toBe(false)
  const key = await keys.create('Robin', role)
  expect(key).toMatch(/^ok_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/)
  expect(await keys.find(key)).toEqual({ name: 'Robin', role, key_id: idOf(key) })
  expect(await keys.hasAny()).toBe(true)
})

it('keeps no secret', async () => {
  const key = await keys.create('Robin', 'admin')
  const secret = key.slice(`ok_${idOf(key)}_`.length)
  const rows = await session.read.selectFrom('keys').selectAll().execute()
  expect(rows).toMatchObject([{ secret_sha256: sha256(secret) }])
  expect(JSON.stringify(rows)).not.toContain(secret)
})

it('never makes the same key twice', async () => {
  const made = await Promise.all(Array.from({ length: 50 }, () => keys.create('Robin', 'viewer')))
  expect(new Set(made.map(idOf)).size).toBe(50)
})

it('does not know what only looks like a key', async () => {
  const key = await keys.create('Robin', 'admin')
  const other = await keys.create('Kim', 'admin')
  const forged = [
    '',
    'ok__',
    key.toUpperCase(),
    `${key}A`,
    key.slice(0, -1),
    ` ${key}`,
    `${key}\n`,
    key.replace(idOf(key), '000000000000'),
    key.replace(idOf(key), idOf(other)),
    `ok_${idOf(key)}_${'A'.repeat(43)}`,
  ]
  expect(await Promise.all(forged.map((one) => keys.find(one)))).toEqual(forged.map(() => undefined))
})

it('does not know a key from the moment it expires', async () => {
  const key = await keys.create('Robin', 'admin')
  await change(key, { expires_at: new Date(clock.now().getTime() + 1000).toISOString() })
  expect(await keys.find(key)).toBeDefined()
  clock.jump(999)
  expect(await keys.find(key)).toBeDefined()
  clock.jump(1)
  expect(await keys.find(key)).toBeUndefined()
})

it('does not know a key that was revoked', async () => {
  const key = await keys.create('Robin', 'admin')
  await change(key, { revoked_at: clock.now().toISOString() })
  expect(await keys.find(key)).toBeUndefined()
  expect(await keys.hasAny()).toBe(true)
})
