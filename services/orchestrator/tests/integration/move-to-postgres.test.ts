import { createHash } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'

import { moveToPostgres } from '../../src/db/move-to-postgres.ts'
import { startPlainHub, succeed, type PlainHub } from '../plain-hub.ts'
import { startPostgres } from '../postgres-server.ts'
import { startService, temporaryFolder, type Service } from '../service.ts'

const postgres = await startPostgres()
afterAll(() => postgres.stop())
const title = postgres.missing === undefined ? 'a move to Postgres' : `a move to Postgres, skipped: ${postgres.missing}`

let hub: PlainHub
let folder: string
const services: Service[] = []
beforeEach(async () => {
  hub = await startPlainHub()
  folder = await temporaryFolder()
})
afterEach(async () => {
  for (const service of services.splice(0)) await service.stop()
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})
const start = async (env: Record<string, string> = {}) => {
  const service = await startService({ hub: hub.url, folder, env })
  services.push(service)
  return service
}

describe.skipIf(postgres.missing !== undefined)(title, () => {
  it('brings everything, in review and in the queue, and the service goes on there', async () => {
    const from = `sqlite:///${folder}/orchestrator.db`
    const content = new TextEncoder().encode('# Log in\n')
    const digest = createHash('sha256').update(content).digest('hex')
    hub.artifacts.set(digest, content)
    const artifact = { path: 'specs/001-x/spec.md', digest, size: content.byteLength, media_type: 'text/markdown' }
    hub.usual = succeed({ output: 'nul \0 in it', data: { artifacts: [artifact] } })
    const before = await start()
    const reviewed = await before.create({ context: { priority: 'P1', word: 'zäh 🦫' } })
    await before.until(reviewed.id, 'waiting_approval')
    await before.advance(reviewed.id, 'human_approved', { comments: 'Good.' })
    const seen = await before.until(reviewed.id, 'waiting_approval')
    const { body: key } = await before.request('POST', '/keys', { name: 'Robin', role: 'reviewer' })
    await before.request('POST', '/queue/pause', { reason: 'moving' })
    const queued = await before.create()
    const history = await before.history(reviewed.id)
    await before.stop()

    const to = await postgres.createDatabase()
    const moved = await moveToPostgres(from, to)
    const rows = Object.fromEntries(moved.map((table) => [table.table, table.rows]))
    expect(rows).toMatchObject({ workflows: 2, attempts: 3, artifacts: 1, keys: 1, features: 2, queues: 1 })
    expect(rows['events']).toBeGreaterThan(0)
    expect(moved.every((table) => /^[0-9a-f]{64}$/.test(table.digest))).toBe(true)

    const after = await start({ DATABASE_URL: to })
    expect(await after.get(reviewed.id)).toEqual(seen)
    // Text of Postgres holds no NUL.
    expect((await after.attempts(reviewed.id))[0]?.output).toBe('nul \uFFFD in it')
    expect(await after.history(reviewed.id)).toEqual(history)
    expect((await after.request('GET', `/artifacts/${digest}`)).text).toBe('# Log in\n')
    expect((await after.request('GET', '/keys')).body.items).toMatchObject([{ id: key.id, name: 'Robin' }])
    expect((await after.request('GET', '/queue')).body).toMatchObject({ state: 'paused', reason: 'moving' })
    await after.request('POST', '/queue/resume')
    await after.until(queued.id, 'waiting_approval')
    expect((await after.advance(reviewed.id, 'human_approved')).body).toMatchObject({ status: 'completed' })
    const next = await after.create()
    expect(next.feature_id.slice(0, 3)).toBe('003')
    await after.until(next.id, 'waiting_approval')
    const events = (await after.history(reviewed.id)).map((row) => row.sequence)
    expect(events).toEqual(events.toSorted((a, b) => a - b))
  })

  it('is refused while a service runs, and into a database that is not empty; the file stays as it was', async () => {
    const from = `sqlite:///${folder}/orchestrator.db`
    const service = await start()
    const { id } = await service.create()
    await service.until(id, 'waiting_approval')
    const to = await postgres.createDatabase()
    await expect(moveToPostgres(from, to)).rejects.toThrow('another process is using it')
    await service.stop()
    await moveToPostgres(from, to)
    await expect(moveToPostgres(from, to)).rejects.toThrow('is not empty')
    await expect(moveToPostgres('sqlite:///:memory:', to)).rejects.toThrow('nothing to move')
    const file = new DatabaseSync(join(folder, 'orchestrator.db'))
    expect(file.prepare('select id from workflows').all()).toEqual([{ id }])
    file.close()
    const count = await postgres.query(to, 'select count(*)::int as count from workflows')
    expect(count).toEqual([{ count: 1 }])
  })

  it('is whole or not at all: what does not arrive as it was takes everything back', async () => {
    const from = `sqlite:///${folder}/orchestrator.db`
    const service = await start()
    await service.until((await service.create()).id, 'waiting_approval')
    await service.stop()
    const to = await postgres.createDatabase()
    const first = await start({ DATABASE_URL: to })
    await first.stop()
    await postgres.query(
      to,
      `create function meddle() returns trigger language plpgsql as
        $$ begin new.feature_description := 'other'; return new; end $$;
       create trigger meddle before insert on workflows for each row execute function meddle()`,
    )
    await expect(moveToPostgres(from, to)).rejects.toThrow('workflows did not arrive as it was (1 rows here, 1 there)')
    expect(await postgres.query(to, 'select count(*)::int as count from features')).toEqual([{ count: 0 }])
  })
})
