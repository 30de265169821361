import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { featureIdSchema } from '@orchestrator/contract'
import { openDatabase, type Database } from '@orchestrator/sqlite'
import { pino } from 'pino'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { cleanUp, type CleanUpParts } from '../../src/core/clean-up.ts'
import { createConversationStore } from '../../src/db/conversation-store.ts'
import { createInvocationStore } from '../../src/db/invocation-store.ts'
import { migrations } from '../../src/db/migrations.ts'
import type { Tables } from '../../src/db/tables.ts'
import { createHomes } from '../../src/workspace/homes.ts'
import { makeRepository, temporaryFolder, userGit, writeFiles } from '../git-fixture.ts'
import { specify, startHubProcess } from '../hub-process.ts'
import { workspacesOf } from '../workspaces-fixture.ts'

const DAY_MS = 86_400_000
let folder: ReturnType<typeof temporaryFolder>
let repository: string
let database: Database<Tables>
let parts: CleanUpParts & {
  store: ReturnType<typeof createInvocationStore>
  homes: ReturnType<typeof createHomes>
}

beforeEach(async () => {
  folder = temporaryFolder()
  repository = makeRepository(join(folder.path, 'shop'))
  const data_dir = join(folder.path, 'data')
  database = await openDatabase<Tables>({ path: join(folder.path, 'hub.db'), migrations, variable: 'HUB_DATABASE_URL' })
  const homes = createHomes(data_dir)
  parts = {
    store: createInvocationStore(database, homes.directory),
    conversations: createConversationStore(database, homes.directory),
    workspaces: workspacesOf(repository, data_dir),
    homes,
    now: () => new Date(),
    log: pino({ level: 'silent' }),
  }
})
afterEach(async () => {
  await database.close()
  await folder.remove()
})

const inDays = (days: number) => new Date(Date.now() + days * DAY_MS)

describe('homes of agents', () => {
  async function beginSession(id: string, created_at: Date): Promise<void> {
    mkdirSync(join(parts.homes.directory(id), '.agent'), { recursive: true })
    const feature_id = featureIdSchema.parse('001-login')
    const place = { agent: 'demo', workspace: 'default', feature_id, acp_session_id: null }
    await parts.conversations.createSession({ ...place, id, created_at: created_at.toISOString() })
    await parts.store.saveAcpSession(id, `acp-${id}`)
  }

  it('go after 14 days without use, and the conversation begins anew', async () => {
    await beginSession('old', inDays(0))
    await beginSession('used', inDays(2))
    mkdirSync(parts.homes.directory('nobodys'), { recursive: true })
    await cleanUp({ ...parts, now: () => inDays(15) })
    expect((await parts.homes.list()).map(({ name }) => name)).toEqual(['used'])
    expect(await parts.store.findSession('old')).toMatchObject({ acp_session_id: null })
    expect(await parts.store.findSession('used')).toMatchObject({ acp_session_id: 'acp-used' })
  })

  it('stay until then', async () => {
    await beginSession('old', inDays(0))
    await cleanUp({ ...parts, now: () => inDays(13) })
    expect((await parts.homes.list()).map(({ name }) => name)).toEqual(['old'])
  })
})

describe('working copies', () => {
  /** A feature with one commit, brought into the repository. */
  async function makeFeature(id: string) {
    const copy = await parts.workspaces.open('default', featureIdSchema.parse(id))
    writeFiles(copy.path, { [`specs/${id}/spec.md`]: `# ${id}\n` })
    await copy.commit(`specify ${id}`)
    await copy.publish()
    return copy
  }
  const merge = (id: string) => userGit(repository, 'merge', '--quiet', '--no-ff', '-m', `merge ${id}`, id)

  it('go when the branch was merged, and are made again when they are needed', async () => {
    const copy = await makeFeature('001-merged')
    merge('001-merged')
    await cleanUp(parts)
    expect(existsSync(copy.path)).toBe(false)
    const again = await parts.workspaces.open('default', featureIdSchema.parse('001-merged'))
    expect((await again.look()).files).toContain('specs/001-merged/spec.md')
  })

  it('go when the branch was pushed', async () => {
    const copy = await makeFeature('002-pushed')
    const remote = join(folder.path, 'remote.git')
    userGit(folder.path, 'init', '--quiet', '--bare', remote)
    userGit(repository, 'remote', 'add', 'origin', remote)
    userGit(repository, 'push', '--quiet', 'origin', '002-pushed')
    await cleanUp(parts)
    expect(existsSync(copy.path)).toBe(false)
  })

  it('stay while only the hub’s repository has the branch', async () => {
    const copy = await makeFeature('003-own')
    await cleanUp(parts)
    expect(existsSync(copy.path)).toBe(true)
    userGit(repository, 'branch', '--quiet', '-D', '003-own')
    await cleanUp(parts)
    expect(existsSync(copy.path)).toBe(true)
  })

  it('stay with anything that is not committed, and with commits that are not merged', async () => {
    const uncommitted = await makeFeature('004-uncommitted')
    merge('004-uncommitted')
    writeFiles(uncommitted.path, { 'half.txt': 'half' })
    const ahead = await makeFeature('005-ahead')
    merge('005-ahead')
    writeFiles(ahead.path, { 'more.txt': 'more' })
    await ahead.commit('more')
    await cleanUp(parts)
    expect([existsSync(uncommitted.path), existsSync(ahead.path)]).toEqual([true, true])
  })

  it('stay while work on the feature is queued', async () => {
    const copy = await makeFeature('006-queued')
    merge('006-queued')
    await parts.store.createInvocation({
      id: crypto.randomUUID(),
      idempotency_key: null,
      body_hash: 'h',
      agent: 'demo',
      workspace: 'default',
      feature_id: featureIdSchema.parse('006-queued'),
      request: specify(),
      created_at: new Date().toISOString(),
    })
    await cleanUp(parts)
    expect(existsSync(copy.path)).toBe(true)
  })
})

it('a hub does so at its start', async () => {
  const options = { folder: folder.path, env: { WORKSPACE: repository, HUB_DATA_DIR: join(folder.path, 'hub') } }
  const first = await startHubProcess(options)
  await first.finish((await first.start('demo', specify([], { feature_id: '010-done' }))).id)
  await first.stop()
  userGit(repository, 'merge', '--quiet', '--no-ff', '-m', 'merge', '010-done')
  const second = await startHubProcess(options)
  const output = second.output()
  await second.stop()
  expect(output).toContain('"working_copies":["010-done"]')
})
