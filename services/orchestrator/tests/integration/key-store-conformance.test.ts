import { afterAll, describe, expect, it } from 'vitest'

import { Keys } from '../../src/core/keys.ts'
import { createKeyStore } from '../../src/db/key-store.ts'
import { openSession } from '../../src/db/session.ts'
import { openDatabases } from '../databases.ts'

const databases = await openDatabases()
afterAll(() => databases.stop())

describe.each(databases.all)('keys on $title', ({ create, isMissing }) => {
  it.skipIf(isMissing)('are kept, found, listed and revoked', async () => {
    const session = await openSession({ url: await create(), onFatal: () => {} })
    const store = createKeyStore(session)
    const keys = new Keys(store, () => new Date())
    const admin = await keys.issue({ name: 'Robin', role: 'admin' })
    const hub = await keys.issue({
      name: 'runner',
      role: 'hub',
      workspaces: ['shop'],
      expires_at: '2999-01-01T00:00:00.000Z',
    })
    expect(await keys.find(hub.key)).toEqual({ name: 'runner', role: 'hub', key_id: hub.id, workspaces: ['shop'] })
    expect((await keys.list()).map(({ id }) => id).toSorted()).toEqual([admin.id, hub.id].toSorted())
    const now = new Date().toISOString()
    expect((await store.listGood([admin.id, hub.id, '000000000000'], now)).toSorted()).toEqual(
      [admin.id, hub.id].toSorted(),
    )
    expect(await store.listGood([admin.id, hub.id], '2999-01-01T00:00:00.000Z')).toEqual([admin.id])
    await keys.revoke(hub.id)
    expect(await keys.find(hub.key)).toBeUndefined()
    expect(await store.listGood([admin.id, hub.id], now)).toEqual([admin.id])
    await expect(keys.revoke(admin.id)).rejects.toMatchObject({ code: 'LAST_ADMIN_KEY' })
    await session.close()
  })

  it.skipIf(isMissing)('begin with one, however many replicas start at once', async () => {
    const session = await openSession({ url: await create(), onFatal: () => {} })
    const made = await Promise.all(
      Array.from({ length: 8 }, () => new Keys(createKeyStore(session), () => new Date()).createFirst()),
    )
    expect(made.filter((key) => key !== undefined)).toHaveLength(1)
    expect(await new Keys(createKeyStore(session), () => new Date()).list()).toHaveLength(1)
    await session.close()
  })

  it.skipIf(isMissing)('leave one admin, however many admins revoke each other at once', async () => {
    const session = await openSession({ url: await create(), onFatal: () => {} })
    const keys = new Keys(createKeyStore(session), () => new Date())
    for (let round = 0; round < 10; round++) {
      const made = await Promise.all([1, 2, 3].map(() => keys.issue({ name: 'Robin', role: 'admin' })))
      const before = (await keys.list()).filter(({ revoked_at }) => revoked_at === null)
      expect(before.length).toBeGreaterThanOrEqual(made.length)
      const ends = await Promise.allSettled(before.map(({ id }) => keys.revoke(id)))
      expect(ends.filter(({ status }) => status === 'rejected')).toHaveLength(1)
      expect((await keys.list()).filter(({ revoked_at }) => revoked_at === null)).toHaveLength(1)
    }
    await session.close()
  })
})
