import { rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout } from 'node:timers/promises'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { readEvents } from '../event-reader.ts'
import { hang, startPlainHub, type PlainHub } from '../plain-hub.ts'
import { clientOf, DESCRIPTION, temporaryFolder, type Client } from '../service.ts'
import { refusedStart, startProcess, type ServiceProcess } from '../service-process.ts'

let folder: string
let hub: PlainHub
let service: ServiceProcess | undefined
const start = async (env: Record<string, string> = {}) => {
  service = await startProcess(folder, { AGENT_HUB_URL: hub.url, ...env })
  return service
}

beforeEach(async () => {
  folder = await temporaryFolder()
  hub = await startPlainHub()
  service = undefined
})
afterEach(async () => {
  await service?.kill()
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

/** Ends at once, as its service does, and not after the patience of `until`. */
async function reviewable(client: Client, id: string): Promise<void> {
  while ((await client.get(id)).status !== 'waiting_approval') await setTimeout(5)
}

describe('a start', () => {
  it.each([
    ['PORT', 'abc'],
    ['DATABASE_URL', 'mysql://localhost/x'],
    ['DATABASE_URL', 'sqlite:////proc/orchestrator.db'],
    ['HOST', '203.0.113.7'],
  ])('is refused with %s=%s in one line', async (name, value) => {
    const { code, output } = await refusedStart(folder, { [name]: value })
    expect(code).toBe(1)
    expect(output.trimEnd()).toMatch(new RegExp(`^[^\\n]*${name}[^\\n]*$`))
    expect(output).not.toMatch(/node_modules|\.ts:/)
  })

  it('is refused on a port in use', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const address = other.address()
    const port = typeof address === 'object' ? String(address?.port) : ''
    const { code, output } = await refusedStart(folder, { PORT: port })
    other.close()
    expect(code).toBe(1)
    expect(output).toMatch(new RegExp(`^Port ${port} on 127\\.0\\.0\\.1 is in use[^\\n]+PORT[^\\n]+\\n$`))
  })

  it('is refused for a second owner of the file, who disturbs nobody', async () => {
    const { url } = await start()
    const { code, output } = await refusedStart(folder, {})
    expect(code).toBe(1)
    expect(output).toMatch(/^DATABASE_URL: [^\n]*another process is using it[^\n]*\n$/)
    expect((await clientOf(url).request('GET', '/health')).status).toBe(200)
  })

  it('is refused for a file that a newer version wrote, and leaves it as it is', async () => {
    await (await start()).stop()
    const database = new DatabaseSync(join(folder, 'data/orchestrator.db'))
    database.exec(`insert into kysely_migration values ('9999_future', '2030-01-01T00:00:00.000Z')`)
    database.close()
    const { code, output } = await refusedStart(folder, {})
    expect(code).toBe(1)
    expect(output).toMatch(/^DATABASE_URL: [^\n]*a newer version wrote it[^\n]*9999_future[^\n]*\n$/)
  })
})

describe('a bind beyond loopback', () => {
  it('prints a key once and wants it on everything but the published routes', async () => {
    const { url: wide, output } = await start({ HOST: '0.0.0.0' })
    const url = wide.replace('0.0.0.0', '127.0.0.1')
    await expect.poll(output).toContain('Admin key, shown this once: ok_')
    const key = /ok_[0-9a-f]{12}_[A-Za-z0-9_-]{43}/.exec(output())?.[0] ?? ''

    const stranger = clientOf(url)
    expect((await stranger.request('GET', '/health')).status).toBe(200)
    for (const path of [
      '/workflows',
      '/docs',
      '/openapi.json',
      '/events',
      '/agents',
      '/nothing',
      '/workflows/x/health',
    ]) {
      const answer = await stranger.request('GET', path)
      expect([path, answer.status, answer.body.error.code]).toEqual([path, 401, 'UNAUTHORIZED'])
    }
    const create = { workflow_type: 'specify', feature_description: DESCRIPTION, context: { priority: 'P1' } }
    expect((await stranger.request('POST', '/workflows', create)).status).toBe(401)

    const holder = clientOf(url, key)
    const created = await holder.request('POST', '/workflows', create)
    expect([created.status, created.body.created_by]).toEqual([201, 'admin'])
    await holder.until(created.body.id, 'waiting_approval')
    const advanced = await holder.advance(created.body.id, 'human_approved', { approved: true })
    expect(advanced.status).toBe(200)
    expect((await holder.history(created.body.id))[2]?.actor).toBe('admin')

    const signed = await stranger.request('POST', '/session', { key })
    const cookie = signed.headers.get('set-cookie') ?? ''
    expect(cookie).toMatch(/HttpOnly/i)
    expect(cookie).toMatch(/SameSite=Strict/i)
    const [value = ''] = cookie.split(';')
    expect((await stranger.request('GET', '/workflows', undefined, { cookie: value })).status).toBe(200)

    await service?.stop()
    const again = await start({ HOST: '0.0.0.0' })
    expect((await clientOf(again.url.replace('0.0.0.0', '127.0.0.1'), key).request('GET', '/workflows')).status).toBe(
      200,
    )
    expect(again.output()).not.toContain('ok_')
  })
})

describe('the end', () => {
  it('on SIGTERM comes in time with a phase running and a stream open', async () => {
    const running = await start()
    const { url } = running
    const client = clientOf(url)
    hub.usual = hang
    const { id, attempt } = await client.create()
    await expect.poll(() => hub.received.length).toBe(1)
    const reader = await readEvents(`${url}/events?after=0`)
    // With 1 it would say that it took more than the 4.5 s it may.
    expect((await running.stop()).code).toBe(0)
    await reader.leave()

    const gone = clientOf((await start()).url)
    await expect.poll(() => hub.received.length).toBe(2)
    expect(hub.received[1]?.key).toBe(attempt?.id)
    expect(await gone.get(id)).toMatchObject({ status: 'in_progress', attempt: { id: attempt?.id, tries: 2 } })
  })

  it('by kill -9 while creating and deciding loses nothing that was answered, and doubles nothing', async () => {
    const answered = new Map<string, number>()
    for (let round = 0; round < 3; round++) {
      const { url } = await start({ MAX_CONCURRENT_PHASES: '8' })
      const client = clientOf(url)
      const work = Array.from({ length: 12 }, async () => {
        for (;;) {
          const { id } = await client.create()
          answered.set(id, 0)
          await reviewable(client, id)
          await client.advance(id, 'human_approved')
          answered.set(id, 1)
        }
      })
      const ended = Promise.allSettled(work)
      const goal = answered.size + 25
      await expect.poll(() => answered.size, { interval: 5 }).toBeGreaterThan(goal)
      await service?.kill()
      await ended
    }
    const client = clientOf((await start({ MAX_CONCURRENT_PHASES: '8' })).url)
    await expect
      .poll(async () => (await client.request('GET', '/workflows?status=in_progress')).body.items.length)
      .toBe(0)
    for (const [id, approvals] of answered) {
      const history = await client.history(id)
      const approved = history.filter(({ trigger }) => trigger === 'human_approved').length
      expect(approved).toBeGreaterThanOrEqual(approvals)
      expect(new Set(history.map(({ phase, attempt, trigger }) => `${phase} ${attempt} ${trigger}`)).size).toBe(
        history.length,
      )
      for (const [i, row] of history.entries())
        expect(row.from_status).toBe(i === 0 ? 'pending' : history[i - 1]?.to_status)
      expect(history.at(-1)?.to_status).toBe((await client.get(id)).status)
    }
    const features = [...answered.keys()].length
    expect(features).toBeGreaterThan(75)
  })
})
