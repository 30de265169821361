import { ROLES } from '@orchestrator/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { Keys } from '../../src/core/keys.ts'
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
  expect(await keys.find(key)).toEqual({ name: 'Robin', role, key_id: idOf(key), workspaces: null })
  expect(await keys.hasAny()).toBe(true)
})

it.each([{ revoked_at: '2001-01-01T00:00:00.000Z' }, { expires_at: '2001-01-01T00:00:00.000Z' }])(
  'knows when nobody can come in any more: %o',
  async (ended) => {
    expect(await keys.hasGood()).toBe(false)
    const [first, second] = [await keys.create('Robin', 'admin'), await keys.create('Kim', 'viewer')]
    await change(first, ended)
    expect(await keys.hasGood()).toBe(true)
    await change(second, ended)
    expect([await keys.hasAny(), await keys.hasGood()]).toEqual([true, false])
  },
)

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

it('does not know a key of which something else than a SHA-256 is kept', async () => {
  const key = await keys.create('Robin', 'admin')
  await session.write((tx) => tx.updateTable('keys').set({ secret_sha256: 'short' }).execute())
  expect(await keys.find(key)).toBeUndefined()
})

it('does not know a key that was revoked', async () => {
  const key = await keys.create('Robin', 'admin')
  await change(key, { revoked_at: clock.now().toISOString() })
  expect(await keys.find(key)).toBeUndefined()
  expect(await keys.hasAny()).toBe(true)
})

describe('a key that was right a moment ago', () => {
  it('is looked up again after 400 ms, so that what another process revoked opens nothing', async () => {
    const key = await keys.create('Robin', 'admin')
    expect(await keys.find(key)).toBeDefined()
    await change(key, { revoked_at: clock.now().toISOString() })
    clock.jump(399)
    expect(await keys.find(key)).toBeDefined()
    clock.jump(1)
    expect(await keys.find(key)).toBeUndefined()
  })

  it('opens nothing from the moment it is revoked here, also while it was being looked up', async () => {
    await keys.create('Kim', 'admin')
    const { id, key } = await keys.issue({ name: 'Robin', role: 'admin' })
    expect(await keys.find(key)).toBeDefined()
    clock.jump(400)
    const looking = keys.find(key)
    await Promise.all([keys.revoke(id), looking])
    expect(await keys.find(key)).toBeUndefined()
  })

  it('is not remembered when one was revoked between its reading and its answer', async () => {
    const store = createKeyStore(session)
    const [read, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const slow = new Keys(
      {
        ...store,
        findKey: async (id) => {
          const record = await store.findKey(id)
          read.resolve()
          await gate.promise
          return record
        },
      },
      () => clock.now(),
    )
    await keys.create('Kim', 'admin')
    const { id, key } = await keys.issue({ name: 'Robin', role: 'admin' })
    const looking = slow.find(key)
    await read.promise
    const revoking = slow.revoke(id)
    await expect.poll(async () => (await store.findKey(id))?.revoked_at).not.toBeNull()
    gate.resolve()
    expect(await looking).toBeDefined()
    await revoking
    expect(await slow.find(key)).toBeUndefined()
  })

  it('is remembered among no more than so many', async () => {
    const secret = 'A'.repeat(43)
    let reads = 0
    const many = new Keys(
      {
        ...createKeyStore(session),
        findKey: async (id) => {
          reads++
          const about = { name: id, role: 'viewer', workspaces: null, expires_at: null, revoked_at: null } as const
          return { id, ...about, created_at: clock.now().toISOString(), secret_sha256: sha256(secret) }
        },
      },
      () => clock.now(),
    )
    const keyOf = (number: number) => `ok_${number.toString(16).padStart(12, '0')}_${secret}`
    for (let number = 0; number < 10_000; number++) await many.find(keyOf(number))
    await many.find(keyOf(0))
    expect(reads).toBe(10_000)
    expect((await many.find(keyOf(10_000)))?.role).toBe('viewer')
    await many.find(keyOf(0))
    expect(reads).toBe(10_002)
  })

  it('does not let another secret in', async () => {
    const key = await keys.create('Robin', 'admin')
    expect(await keys.find(key)).toBeDefined()
    expect(await keys.find(`ok_${idOf(key)}_${'A'.repeat(43)}`)).toBeUndefined()
  })
})

describe('a list of keys', () => {
  it('tells everything but the secrets', async () => {
    const key = await keys.issue({ name: 'Robin', role: 'viewer', expires_at: '2999-01-01T00:00:00Z' })
    clock.jump(1)
    const { id } = await keys.issue({ name: 'Kim', role: 'hub' })
    const listed = await keys.list()
    expect(listed.map((one) => [one.id, one.name, one.role])).toEqual([
      [key.id, 'Robin', 'viewer'],
      [id, 'Kim', 'hub'],
    ])
    expect(listed[0]?.expires_at).toBe('2999-01-01T00:00:00.000Z')
    expect(JSON.stringify(listed)).not.toMatch(/secret|sha256/)
    expect(JSON.stringify(listed)).not.toContain(key.key.slice(-43))
  })
})

describe('a key that is made', () => {
  it('cannot have expired already', async () => {
    await expect(
      keys.issue({ name: 'Robin', role: 'viewer', expires_at: clock.now().toISOString() }),
    ).rejects.toMatchObject({ code: 'VALIDATION_ERROR', details: [{ field: 'expires_at' }] })
    expect(await keys.hasAny()).toBe(false)
  })
})

describe('revoking', () => {
  it('counts from that moment, and a second time changes nothing', async () => {
    const { key, id } = await keys.issue({ name: 'Robin', role: 'viewer' })
    const revoked = await keys.revoke(id)
    expect(revoked).toMatchObject({ id, revoked_at: clock.now().toISOString() })
    expect(await keys.find(key)).toBeUndefined()
    clock.jump(5000)
    expect(await keys.revoke(id)).toEqual(revoked)
  })

  it('does not know an unknown key', async () => {
    await expect(keys.revoke('000000000000')).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' })
  })

  it('leaves one admin, whose key is good', async () => {
    const soon = new Date(clock.now().getTime() + 1000).toISOString()
    const first = await keys.issue({ name: 'Robin', role: 'admin' })
    const second = await keys.issue({ name: 'Kim', role: 'admin', expires_at: soon })
    await keys.issue({ name: 'Ana', role: 'viewer' })
    clock.jump(1000)
    await expect(keys.revoke(first.id)).rejects.toMatchObject({ code: 'LAST_ADMIN_KEY' })
    expect(await keys.find(first.key)).toBeDefined()
    expect((await keys.revoke(second.id)).revoked_at).not.toBeNull()
    await keys.issue({ name: 'Ben', role: 'admin' })
    expect((await keys.revoke(first.id)).revoked_at).not.toBeNull()
  })

  it('leaves one admin when all are revoked at once', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => keys.issue({ name: 'Robin', role: 'admin' })))
    const ends = await Promise.allSettled(made.map(({ id }) => keys.revoke(id)))
    expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(1)
    const left = (await keys.list()).filter(({ revoked_at }) => revoked_at === null)
    expect(left).toHaveLength(1)
  })
})
