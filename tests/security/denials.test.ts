import { denialPageSchema } from '@orchestrator/contract'
import { afterAll, describe, expect, it } from 'vitest'

import { createDenialStore } from '../../services/orchestrator/src/db/denial-store.ts'
import { openSession } from '../../services/orchestrator/src/db/session.ts'
import { openDatabases } from '../../services/orchestrator/tests/databases.ts'
import { clientOf } from '../../services/orchestrator/tests/service.ts'
import { startWideService } from './wide-service.ts'

const databases = await openDatabases()
afterAll(() => databases.stop())

describe.each(databases.lasting)('what is refused, on $title', ({ create, isMissing }) => {
  it.skipIf(isMissing)('is written down: who, with which key, from where, at what', async () => {
    const service = await startWideService({ DATABASE_URL: await create() })
    const robin = await service.issue('Robin', 'viewer')
    await robin.client.request('POST', '/workflows?x=1', {
      workflow_type: 'specify',
      feature_description: 'Add a login',
    })
    await service.admin.request('POST', `/keys/${robin.id}/revoke`)
    await robin.client.request('GET', '/workflows')
    await clientOf(service.url.replace('0.0.0.0', '127.0.0.1')).request('DELETE', `/nothing/${robin.key}`)
    const listed = async () => denialPageSchema.parse((await service.admin.request('GET', '/audit/denials')).body).items
    await expect.poll(async () => (await listed()).length, { timeout: 10_000 }).toBe(3)
    expect(await listed()).toMatchObject([
      {
        actor: null,
        key_id: null,
        method: 'DELETE',
        path: '/nothing/[hidden: a key]',
        code: 'UNAUTHORIZED',
        address: '127.0.0.1',
      },
      { actor: null, key_id: robin.id, method: 'GET', path: '/workflows', code: 'UNAUTHORIZED' },
      { actor: 'Robin', key_id: robin.id, method: 'POST', path: '/workflows', code: 'FORBIDDEN' },
    ])
    await service.close()
  })

  it.skipIf(isMissing)('is forgotten, the oldest first, beyond what is kept', async () => {
    const session = await openSession({ url: await create(), onFatal: () => {} })
    const store = createDenialStore(session)
    const denial = (n: number) => ({
      actor: null,
      key_id: null,
      request_id: null,
      address: null,
      method: 'GET',
      path: `/${n}`,
      code: 'UNAUTHORIZED' as const,
      created_at: '2026-01-31T12:00:00.000Z',
    })
    for (let n = 0; n < 30; n += 10) {
      await store.insertDenials(
        Array.from({ length: 10 }, (_, i) => denial(n + i)),
        12,
      )
    }
    const kept = await store.listDenials(Number.MAX_SAFE_INTEGER, 100)
    expect(kept.map(({ path }) => path)).toEqual(Array.from({ length: 12 }, (_, i) => `/${29 - i}`))
    await session.close()
  })
})

describe('a key that asks too often', () => {
  it('is told when to go on, and others are answered meanwhile', async () => {
    const service = await startWideService({ REQUESTS_PER_MINUTE: '20' })
    const robin = await service.issue('Robin', 'viewer')
    const answers = await Promise.all(Array.from({ length: 30 }, () => robin.client.request('GET', '/workflows')))
    const limited = answers.filter(({ status }) => status === 429)
    expect(limited).toHaveLength(10)
    expect(limited[0]?.body.error.code).toBe('RATE_LIMITED')
    expect(Number(limited[0]?.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(Number(limited[0]?.headers.get('retry-after'))).toBeLessThanOrEqual(60)
    expect((await service.admin.request('GET', '/workflows')).status).toBe(200)
    await service.close()
  })
})
