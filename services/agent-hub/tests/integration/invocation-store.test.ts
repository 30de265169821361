import { join } from 'node:path'

import { digestSchema, featureIdSchema } from '@orchestrator/contract'
import { openDatabase, type Database } from '@orchestrator/sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { failed } from '../../src/core/outcome.ts'
import type { InvocationStore, SessionRecord } from '../../src/core/store.ts'
import { createInvocationStore } from '../../src/db/invocation-store.ts'
import { migrations } from '../../src/db/migrations.ts'
import type { Tables } from '../../src/db/tables.ts'
import { temporaryFolder } from '../git-fixture.ts'
import { specify } from '../hub-process.ts'

const NOW = '2026-01-31T12:00:00.000Z'
const LATER = '2026-01-31T13:00:00.000Z'
const feature_id = featureIdSchema.parse('001-login')
const SESSION: SessionRecord = {
  id: 's-1',
  agent: 'stub',
  workspace: 'default',
  feature_id,
  acp_session_id: null,
  created_at: NOW,
}
const finish = { ...failed('No.', 'agent', null), now: NOW }

let folder: ReturnType<typeof temporaryFolder>
let database: Database<Tables>
let store: InvocationStore

async function open(): Promise<void> {
  const path = join(folder.path, 'hub.db')
  database = await openDatabase<Tables>({ path, migrations, variable: 'HUB_DATABASE_URL' })
  store = createInvocationStore(database, (session_id) => `/homes/${session_id}`)
}

beforeEach(async () => {
  folder = temporaryFolder()
  await open()
})
afterEach(async () => {
  await database.close()
  await folder.remove()
})

async function create(idempotency_key: string | null = null): Promise<string> {
  const place = { agent: 'stub', workspace: 'default', feature_id, created_at: NOW }
  const id = crypto.randomUUID()
  return (await store.createInvocation({ ...place, id, idempotency_key, body_hash: 'h', request: specify() })).id
}

describe('an invocation', () => {
  it('is the same after the file was closed and opened', async () => {
    const id = await create('key')
    const before = await store.findInvocation(id)
    await database.close()
    await open()
    expect(await store.findInvocation(id)).toEqual(before)
    expect(await store.findInvocationByKey('key')).toEqual(before)
    expect(await store.findInvocationByKey('other')).toBeUndefined()
  })

  it('exists once for a key, however many ask at once', async () => {
    expect(new Set(await Promise.all(Array.from({ length: 50 }, async () => create('key')))).size).toBe(1)
    expect(new Set([await create(), await create()]).size).toBe(2)
  })

  it('is started by one, and finished by one', async () => {
    const id = await create()
    expect(await store.finishInvocation(id, 'running', finish)).toBe(false)
    const started = await Promise.all([1, 2, 3].map(async () => store.startInvocation(id, SESSION, NOW)))
    expect(started.flatMap((record) => record?.runs ?? [])).toEqual([1])
    const finished = await Promise.all([1, 2, 3].map(async () => store.finishInvocation(id, 'running', finish)))
    expect(finished.filter(Boolean)).toEqual([true])
    expect(await store.listEvents(id, 0)).toMatchObject([{ sequence: 1, type: 'invocation.finished', data: { id } }])
  })

  it('is started with the agent that goes on in its session, and not where there is none to start', async () => {
    const process = { pid: 4711, started: 'boot/1' }
    expect(await store.startInvocation('nowhere', SESSION, NOW, process)).toBeUndefined()
    expect(await store.findSession(SESSION.id)).toBeUndefined()
    expect(await store.listProcesses()).toEqual([])
    await store.startInvocation(await create(), SESSION, NOW, process)
    expect(await store.listProcesses()).toEqual([process])
  })

  it('that was interrupted waits again, and counts its runs', async () => {
    const [first, second] = [await create(), await create()]
    await store.startInvocation(first, SESSION, NOW)
    expect(await store.requeueInterrupted()).toBe(1)
    expect((await store.listQueued()).map(({ id }) => id)).toEqual([first, second])
    expect(await store.startInvocation(first, SESSION, LATER)).toMatchObject({ runs: 2, started_at: NOW })
  })

  it('keeps the first request to cancel it, and none once it is finished', async () => {
    const id = await create()
    await store.requestCancel(id, NOW)
    await store.requestCancel(id, LATER)
    expect((await store.findInvocation(id))?.cancel_requested_at).toBe(NOW)
    const other = await create()
    await store.finishInvocation(other, 'queued', finish)
    await store.requestCancel(other, LATER)
    expect((await store.findInvocation(other))?.cancel_requested_at).toBeNull()
  })
})

it('events are numbered without a gap however they come, and read in pages', async () => {
  const id = await create()
  const other = await create()
  const note = (text: string) => ({ kind: 'note' as const, text })
  const texts = Array.from({ length: 600 }, (_, index) => String(index))
  await Promise.all(texts.map(async (text) => store.appendUpdates(id, [note(text), note(text)], NOW)))
  await store.appendUpdates(other, [note('x')], NOW)
  const first = await store.listEvents(id, 0)
  expect(first.map(({ sequence }) => sequence)).toEqual(Array.from({ length: 500 }, (_, index) => index + 1))
  expect((await store.listEvents(id, 1000)).at(-1)?.sequence).toBe(1200)
  expect(await store.listEvents(other, 0)).toHaveLength(1)
})

it('events go when their invocation finished long ago', async () => {
  const id = await create()
  await store.appendUpdates(id, [{ kind: 'note', text: 'x' }], NOW)
  const remove = async (since: string, before: string) => store.deleteEvents({ since, before }, 10)
  expect(await remove('', LATER)).toBe(0)
  await store.finishInvocation(id, 'queued', finish)
  expect(await remove('', NOW)).toBe(0)
  expect(await remove(LATER, LATER)).toBe(0)
  expect(await remove(NOW, LATER)).toBe(2)
})

it('processes are remembered until they cannot run any more', async () => {
  const id = await create()
  const process = { pid: 4711, started: 'boot/1' }
  await store.recordProcess(id, process)
  await store.forgetProcesses(LATER)
  expect(await store.listProcesses()).toEqual([process])
  await store.finishInvocation(id, 'queued', finish)
  await store.forgetProcesses(NOW)
  expect(await store.listProcesses()).toEqual([process])
  await store.forgetProcesses(LATER)
  expect(await store.listProcesses()).toEqual([])
})

it('sessions and artifacts are kept', async () => {
  const id = await create()
  await store.startInvocation(id, SESSION, NOW)
  await store.saveAcpSession('s-1', 'acp-7')
  expect(await store.findSession('s-1')).toEqual({ ...SESSION, acp_session_id: 'acp-7' })
  expect(await store.findSession('s-2')).toBeUndefined()
  const digest = digestSchema.parse('a'.repeat(64))
  const artifact = { digest, bytes: new Uint8Array([0, 255, 10]) }
  await store.prepareInvocation(id, { response: finish.response, commit_message: 'm' }, [artifact, artifact])
  expect(await store.findArtifact(digest)).toEqual(artifact.bytes)
  expect((await store.findInvocation(id))?.prepared).toEqual({ response: finish.response, commit_message: 'm' })
  await store.finishInvocation(id, 'running', finish)
  expect((await store.findInvocation(id))?.prepared).toBeNull()
})
