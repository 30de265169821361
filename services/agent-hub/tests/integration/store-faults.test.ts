import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { makeRepository, temporaryFolder, userGit } from '../git-fixture.ts'
import { specify, startHubProcess, STUB, type HubProcess } from '../hub-process.ts'

let folder: ReturnType<typeof temporaryFolder>
let repository: string
let hub: HubProcess

const start = async () => startHubProcess({ folder: folder.path, env: { WORKSPACE: repository, HUB_MAX_RUNNING: '1' } })

beforeEach(async () => {
  folder = temporaryFolder()
  repository = makeRepository(join(folder.path, 'shop'))
  hub = await start()
})
afterEach(async () => {
  await hub.stop()
  await folder.remove()
})

/** Statements of somebody else in the hub's own file. */
function inFile(...statements: string[]): void {
  const database = new DatabaseSync(join(folder.path, 'data/agent-hub.db'), { timeout: 5000 })
  for (const statement of statements) database.exec(statement)
  database.close()
}
const FULL = `begin select raise(abort, 'database or disk is full'); end`
const NO_START = `create trigger full before update on invocations when new.status = 'running' ${FULL}`
const NO_END = `create trigger full before insert on invocation_events when new.type = 'invocation.finished' ${FULL}`
const NO_CANCEL = `create trigger full before update of cancel_requested_at on invocations ${FULL}`
const NO_EXCHANGE = `create trigger full_too before insert on exchanges ${FULL}`
const ROOM = 'drop trigger full'

const hang = specify(['hang'], { feature_id: '002-hang' })
const write = specify(['write once.md x'])
const statusOf = async (id: string) => (await hub.get(id)).status
const cancel = async (id: string) => (await hub.fetch(`/invocations/${id}/cancel`, { method: 'POST' })).status
const commits = () => userGit(repository, 'rev-list', '--count', 'main..001-login')

describe('an invocation whose end could not be written down', () => {
  beforeEach(() => inFile(NO_END))

  it('ends as it did, as soon as it can be, and runs no second time', async () => {
    const { id } = await hub.start(STUB, write)
    await expect.poll(hub.output).toContain('could not be written down; it is tried again')
    expect(await statusOf(id)).toBe('running')
    inFile(ROOM)
    expect((await hub.finish(id)).success).toBe(true)
    expect(hub.output().match(/"invocation ended"/g)).toHaveLength(1)
    expect(commits()).toBe('1')
  })

  it('does not keep the hub from ending, and is not run again at the next start', async () => {
    const { id } = await hub.start(STUB, write)
    await expect.poll(hub.output).toContain('could not be written down; it is tried again')
    expect(await hub.stop()).toBe(0)
    expect(hub.output()).toContain('the next start goes on with it')
    inFile(ROOM)
    hub = await start()
    expect((await hub.finish(id)).success).toBe(true)
    expect(commits()).toBe('1')
  })

  it('does so also where it was cancelled while it waited', async () => {
    const first = await hub.start(STUB, hang)
    const second = await hub.start(STUB, write)
    await expect.poll(async () => statusOf(first.id)).toBe('running')
    expect(await cancel(second.id)).toBe(507)
    expect(await statusOf(second.id)).toBe('queued')
    inFile(ROOM)
    await cancel(first.id)
    await hub.finish(second.id)
    expect(await statusOf(second.id)).toBe('cancelled')
  })
})

describe('an invocation whose beginning could not be written down', () => {
  beforeEach(() => inFile(NO_START))

  it('is begun as soon as it can be', async () => {
    const { id } = await hub.start(STUB, write)
    await expect.poll(hub.output).toContain('could not be begun; it is tried again')
    expect(await statusOf(id)).toBe('queued')
    inFile(ROOM)
    expect((await hub.finish(id)).success).toBe(true)
    expect(commits()).toBe('1')
  })

  it('can be cancelled meanwhile', async () => {
    const { id } = await hub.start(STUB, write)
    await expect.poll(hub.output).toContain('could not be begun; it is tried again')
    expect(await cancel(id)).toBe(200)
    expect(await statusOf(id)).toBe('cancelled')
    expect((await hub.events(id)).map(({ type }) => type)).toEqual(['invocation.finished'])
  })

  it('does not keep the hub from ending, and is begun at the next start', async () => {
    const { id } = await hub.start(STUB, write)
    await expect.poll(hub.output).toContain('could not be begun; it is tried again')
    expect(await hub.stop()).toBe(0)
    inFile(ROOM)
    hub = await start()
    expect((await hub.finish(id)).success).toBe(true)
  })
})

it('a cancel that could not be written down has ended the agent, which may be what fills the disk', async () => {
  const { id } = await hub.start(STUB, hang)
  await expect.poll(async () => statusOf(id)).toBe('running')
  inFile(NO_CANCEL, NO_EXCHANGE)
  expect(await cancel(id)).toBe(507)
  await hub.finish(id)
  expect(await statusOf(id)).toBe('cancelled')
})

it('one that cannot be read holds up no other, and goes on when it is corrected', async () => {
  const first = await hub.start(STUB, hang)
  const damaged = await hub.start(STUB, specify([], { feature_id: '003-damaged' }))
  const sound = await hub.start(STUB, write)
  await expect.poll(async () => statusOf(first.id)).toBe('running')
  inFile(`update invocations set request = '!' || request where id = '${damaged.id}'`)
  await cancel(first.id)
  expect((await hub.finish(sound.id)).success).toBe(true)
  inFile(`update invocations set request = substr(request, 2) where id = '${damaged.id}'`)
  expect((await hub.finish(damaged.id)).success).toBe(true)
})
