import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

import { Keys, type KeyRecord } from '../../services/orchestrator/src/core/keys.ts'
import { sha256 } from '../../services/orchestrator/src/core/outcome.ts'
import { clientOf } from '../../services/orchestrator/tests/service.ts'
import { figure } from './counts.ts'
import { startWideService, type WideService } from './wide-service.ts'

let service: WideService
beforeAll(async () => {
  service = await startWideService()
})
afterAll(() => service.close())

const WRONG = `ok_000000000000_${'A'.repeat(43)}`
/** From this moment on, a key may be of use for so long; beside other tests it is only looked at. */
const LIMIT_MS = figure(15_000, 1_000)

/** An event stream that says when it ended. */
async function openStream(key: string, path = '/events', how: 'key' | 'cookie' = 'key') {
  const headers: Record<string, string> =
    how === 'key' ? { authorization: `Bearer ${key}` } : { cookie: `orchestrator_session=${key}` }
  const answer = await fetch(service.url + path, { headers })
  expect(answer.status).toBe(200)
  return { ended: answer.text().then(() => performance.now()) }
}

const change = (id: string, column: 'revoked_at' | 'expires_at', value: string) => {
  const database = new DatabaseSync(`${service.folder}/orchestrator.db`)
  database.prepare(`update keys set ${column} = ? where id = ?`).run(value, id)
  database.close()
}

describe('at rest', () => {
  it('no file holds a secret, and the digest is a SHA-256', async () => {
    const made = await Promise.all(Array.from({ length: 20 }, () => service.issue('Robin', 'viewer')))
    const files = (await readdir(service.folder, { recursive: true, withFileTypes: true })).filter((one) =>
      one.isFile(),
    )
    const bytes = await Promise.all(files.map((file) => readFile(join(file.parentPath, file.name), 'latin1')))
    const stored = bytes.join()
    expect(made.filter(({ id }) => !stored.includes(id))).toEqual([])
    expect(made.filter(({ key }) => stored.includes(key.slice(-43)))).toEqual([])
    expect(made.filter(({ key }) => !stored.includes(sha256(key.slice(-43))))).toEqual([])
  })

  it('no answer tells a secret a second time', async () => {
    const made = await service.issue('Robin', 'viewer')
    const texts = [
      (await service.admin.request('GET', '/keys')).text,
      (await service.admin.request('POST', `/keys/${made.id}/revoke`)).text,
    ].join()
    expect(texts).toContain(made.id)
    expect(texts).not.toContain(made.key.slice(-43))
    expect(texts).not.toContain('sha256')
  })
})

describe('comparing', () => {
  it('takes as long for a key that is nearly right as for one that is not at all', async () => {
    const records = new Map<string, KeyRecord>()
    const keys = new Keys(
      {
        findKey: async (id) => records.get(id),
        listKeys: async () => [...records.values()],
        listGood: async () => [],
        countKeys: async () => records.size,
        insertKey: async (record) => void records.set(record.id, record),
        insertFirstKey: async () => false,
        revokeKey: async () => false,
      },
      () => new Date(),
    )
    const key = await keys.create('Robin', 'viewer')
    const last = key.endsWith('A') ? 'B' : 'A'
    const guesses = [`${key.slice(0, -1)}${last}`, `${key.slice(0, 16)}${'-'.repeat(43)}`, WRONG]
    const times: number[][] = guesses.map(() => [])
    // In turns, so that whatever else this machine does falls on all alike.
    for (let round = 0; round < 3000; round++) {
      for (const [index, guess] of guesses.entries()) {
        const began = performance.now()
        await keys.find(guess)
        times[index]?.push(performance.now() - began)
      }
    }
    const medians = times.map((list) => list.toSorted((a, b) => a - b)[1500] ?? 0)
    expect(Math.max(...medians) / Math.min(...medians)).toBeLessThan(1.5)
  })
})

describe('a key that ends', () => {
  it.each(['key', 'cookie'] as const)(
    'by the API: requests at once, streams within a second, shown as a %s',
    async (how) => {
      const made = await service.issue('Robin', 'viewer')
      const other = await service.issue('Kim', 'viewer')
      const { id } = await service.admin.create()
      const streams = [
        ...(await Promise.all(Array.from({ length: 5 }, () => openStream(made.key, '/events', how)))),
        await openStream(made.key, `/workflows/${id}/events`, how),
      ]
      const kept = await openStream(other.key)
      let kept_ended = false
      void kept.ended.then(() => (kept_ended = true))

      expect((await made.client.request('GET', '/workflows')).status).toBe(200)
      expect((await service.admin.request('POST', `/keys/${made.id}/revoke`)).status).toBe(200)
      const revoked = performance.now()
      expect((await made.client.request('GET', '/workflows')).status).toBe(401)
      expect((await service.admin.request('POST', '/session', { key: made.key })).status).toBe(401)
      for (const { ended } of streams) expect((await ended) - revoked).toBeLessThan(LIMIT_MS)
      expect(kept_ended).toBe(false)
      await service.admin.request('POST', `/keys/${other.id}/revoke`)
      await kept.ended
    },
  )

  it('by another process on the same database', async () => {
    const made = await service.issue('Robin', 'viewer')
    const stream = await openStream(made.key)
    change(made.id, 'revoked_at', new Date().toISOString())
    const revoked = performance.now()
    const refused = vi.waitFor(
      async () => {
        expect((await made.client.request('GET', '/workflows')).status).toBe(401)
        return performance.now()
      },
      { timeout: LIMIT_MS, interval: 20 },
    )
    expect((await refused) - revoked).toBeLessThan(LIMIT_MS)
    expect((await stream.ended) - revoked).toBeLessThan(LIMIT_MS)
  })

  it('by its time', async () => {
    const expires_at = new Date(Date.now() + 2_000).toISOString()
    const made = await service.issue('Robin', 'viewer', { expires_at })
    const stream = await openStream(made.key)
    expect((await made.client.request('GET', '/workflows')).status).toBe(200)
    await stream.ended
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(expires_at))
    expect(Date.now() - Date.parse(expires_at)).toBeLessThan(LIMIT_MS)
    expect((await made.client.request('GET', '/workflows')).status).toBe(401)
  })

  it('is not the last of an admin', async () => {
    const { items } = (await service.admin.request('GET', '/keys')).body as { items: { id: string; role: string }[] }
    const admins = items.filter(({ role }) => role === 'admin')
    expect(admins).toHaveLength(1)
    const answer = await service.admin.request('POST', `/keys/${admins[0]?.id}/revoke`)
    expect([answer.status, answer.body.error.code]).toEqual([409, 'LAST_ADMIN_KEY'])
    expect((await service.admin.request('GET', '/keys')).status).toBe(200)
  })
})

describe('guessing', () => {
  it('is bounded, by header, cookie and sign-in together, and never stands in the way of a right key', async () => {
    const { client } = await service.issue('Robin', 'viewer')
    const guesser = clientOf(service.url, WRONG)
    const nobody = clientOf(service.url)
    const guess = [
      () => guesser.request('GET', '/workflows'),
      () => nobody.request('GET', '/nothing', undefined, { cookie: `orchestrator_session=${WRONG}` }),
      () => nobody.request('POST', '/session', { key: WRONG }),
    ]
    const alone: number[] = []
    const among: number[] = []
    const time = async (times: number[]) => {
      const began = performance.now()
      expect((await client.request('GET', '/features')).status).toBe(200)
      times.push(performance.now() - began)
    }
    for (let round = 0; round < 100; round++) await time(alone)

    const answers = []
    for (let round = 0; round < 100; round++) {
      answers.push(...(await Promise.all(guess.map((ask) => ask()))))
      await time(among)
    }
    const told = answers.filter(({ status }) => status === 401).length
    const limited = answers.filter(({ status }) => status === 429)
    expect(told).toBeLessThanOrEqual(60)
    expect(told + limited.length).toBe(300)
    for (const { headers, body } of limited) {
      expect(body.error.code).toBe('RATE_LIMITED')
      const seconds = Number(headers.get('retry-after'))
      expect(seconds).toBeGreaterThanOrEqual(1)
      expect(seconds).toBeLessThanOrEqual(60)
    }
    const median = (times: number[]) => times.toSorted((a, b) => a - b)[50] ?? 0
    expect(median(among)).toBeLessThan(median(alone) * 3 + 5)

    // Without a key there is nothing to be guessed, and signing in works as ever.
    expect((await nobody.request('GET', '/workflows')).status).toBe(401)
    expect((await nobody.request('POST', '/session', { key: service.first_key })).status).toBe(204)
  })
})
