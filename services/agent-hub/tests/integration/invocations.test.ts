import { once } from 'node:events'
import { readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import type { Check, InvocationEvent, InvokeResponse } from '@orchestrator/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { makeRepository, temporaryFolder, userGit, writeFiles } from '../git-fixture.ts'
import { specify, startHubProcess, STUB, type HubProcess } from '../hub-process.ts'

const folder = temporaryFolder()
const repository = join(folder.path, 'shop')
let hub: HubProcess

beforeAll(async () => {
  makeRepository(repository)
  hub = await startHubProcess({ folder: folder.path, env: { WORKSPACE: repository, HUB_MAX_RUNNING: '3' } })
})
afterAll(async () => {
  await hub.stop()
  await folder.remove()
})

const checksOf = (response: InvokeResponse, level: Check['level']) =>
  (response.result?.data?.checks ?? []).filter((check) => check.level === level).map(({ id }) => id)

const isNote = (event: InvocationEvent) => event.type === 'agent.update' && event.data.kind === 'note'

async function run(said: string[], feature_id: string, part: { parameters?: object; phase?: string } = {}) {
  const { id } = await hub.start(STUB, specify(said, { ...part, feature_id }))
  const response = await hub.finish(id)
  return { id, response, status: (await hub.get(id)).status }
}

describe('an agent that works', () => {
  it('brings a checked specification, committed on the feature’s branch', async () => {
    const { id } = await hub.start('demo', specify([], { feature_id: '001-login' }))
    const response = await hub.finish(id)
    expect(response.success).toBe(true)
    expect(checksOf(response, 'error')).toEqual([])
    const data = response.result?.data
    expect(data).toMatchObject({ branch: '001-login', commit: userGit(repository, 'rev-parse', '001-login') })
    expect(data?.artifacts?.map(({ path }) => path)).toEqual(response.result?.files_created)
    expect(userGit(repository, 'log', '-1', '--format=%s', '001-login')).toBe('specify phase_1 attempt 1 for 001-login')
    expect(userGit(repository, 'log', '-1', '--format=%(trailers:key=Workflow,valueonly)', '001-login').trim()).toBe(
      '6f9619ff-8b86-4d01-b42d-00cf4fc964ff',
    )
    expect(userGit(repository, 'show', '001-login:specs/001-login/spec.md')).toMatch(/email/)
    expect(userGit(repository, 'status', '--porcelain')).toBe('')
  })

  it('reworks in the same session, and every comment gets a fate', async () => {
    const first = await run([], '002-rework')
    const session_id = first.response.result!.data!.session_id!
    const thread = { id: 'a3bb189e-8bf9-4888-9912-ace4e6543002', text: 'Name the provider.' }
    const body = specify([], { feature_id: '002-rework', parameters: { attempt: 2 } })
    const again = await hub.start(STUB, {
      ...body,
      session_id,
      context: { ...body.context, feedback: { text: thread.text, threads: [thread] } },
    })
    const response = await hub.finish(again.id)
    expect(response.result?.data?.session_id).toBe(session_id)
    expect(response.result?.data?.threads).toEqual([{ id: thread.id, fate: 'addressed', reply: 'Done as asked.' }])
    const spec = userGit(repository, 'show', '002-rework:specs/002-rework/spec.md')
    expect(spec).toContain('Feedback: Name the provider.')
    // Two turns each: the stub's files never pass the checks, so that each attempt is asked to mend them.
    expect(spec).toContain('Turn 4')
    expect(userGit(repository, 'rev-list', '--count', 'main..002-rework')).toBe('2')
  })

  it('goes on with a new session where the old one is another feature’s or forgotten', async () => {
    const body = { ...specify([], { feature_id: '003-fresh' }), session_id: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff' }
    const response = await hub.finish((await hub.start(STUB, body)).id)
    expect(response.success).toBe(true)
    expect(response.result?.data?.session_id).not.toBe(body.session_id)
  })

  it('is told once what the checks found, then shown as it is', async () => {
    const { id, response } = await run(['write specs/004-lie/notes.md hello', 'lie'], '004-lie')
    expect(response.success).toBe(true)
    expect(checksOf(response, 'error')).not.toEqual([])
    expect(response.confidence).toBeLessThanOrEqual(50)
    const notes = (await hub.events(id)).filter(isNote)
    expect(notes).toHaveLength(1)
  })

  it('hands in its result by the hub’s own tool, which counts before the closing block', async () => {
    const analyze = { ...specify(['submit 40'], { feature_id: '0041-tool', phase: 'phase_2' }), workflow_type: 'tasks' }
    const response = await hub.finish((await hub.start(STUB, analyze)).id)
    expect(response).toMatchObject({ confidence: 40, result: { output: 'Handed in, Turn 1' } })
    expect(checksOf(response, 'warning')).toEqual([])
  })

  it('is asked once for a result that is missing', async () => {
    const { id, response } = await run(['write specs/0042-mute/notes.md hello', 'mute'], '0042-mute')
    expect(response.result?.output).toBe('Turn 2')
    const notes = (await hub.events(id)).filter(isNote).map(({ data }) => data)
    expect(notes).toContainEqual({ kind: 'note', text: expect.stringContaining('asked once') })
  })

  it('has no confidence when it still gives none', async () => {
    const { response } = await run(['write specs/0043-sulk/notes.md hello', 'sulk'], '0043-sulk')
    expect(response).toMatchObject({ success: true, confidence: 0 })
    expect(checksOf(response, 'warning')).toContain('result-block-missing')
  })

  it('keeps people’s commits, and says when their checkout holds the branch', async () => {
    await run([], '005-held')
    const worktree = join(folder.path, 'held')
    userGit(repository, 'worktree', 'add', '--quiet', worktree, '005-held')
    writeFiles(worktree, { 'by-hand.md': 'by hand\n' })
    userGit(worktree, 'add', '--all')
    userGit(worktree, 'commit', '--quiet', '-m', 'by hand')
    const head = userGit(worktree, 'rev-parse', 'HEAD')
    const { response } = await run(['write more.md more'], '005-held')
    expect(checksOf(response, 'warning')).toContain('branch-not-moved')
    expect(userGit(worktree, 'rev-parse', 'HEAD')).toBe(head)
    expect(userGit(worktree, 'status', '--porcelain')).toBe('')
    const [, clone] = /run there: git pull --ff-only (\S+)/.exec(JSON.stringify(response.result?.data?.checks))!
    userGit(worktree, 'pull', '--quiet', '--ff-only', clone!, '005-held')
    expect(readdirSync(worktree)).toEqual(expect.arrayContaining(['README.md', 'by-hand.md', 'more.md']))
  })
})

describe('an agent that does not', () => {
  it.each([
    ['dies', '0061-dies', 'crash', /exit code 7/],
    ['refuses', '0062-refuses', 'refuse', /429/],
  ])('%s: failed, with what to know', async (_, feature_id, mood, reason) => {
    const { status, response } = await run(['write half.md done', mood], feature_id)
    expect({ status, success: response.success }).toEqual({ status: 'failed', success: false })
    expect(response.error).toMatch(reason)
  })

  it('tells what it cost all the same', async () => {
    const { response } = await run(['cost 0.5', 'crash'], '0065-dear')
    expect(response).toMatchObject({ success: false, result: { data: { usage: { cost_usd: 0.5 } } } })
  })

  it('leaves nothing for the next attempt', async () => {
    await run(['write half.md done', 'crash'], '007-half')
    const { response } = await run(['write whole.md done'], '007-half')
    expect(response.result?.files_created).toContain('whole.md')
    expect(userGit(repository, 'ls-tree', '--name-only', '007-half').split('\n')).toEqual([
      'README.md',
      'specs',
      'whole.md',
    ])
  })

  it('gets no further than its number: another feature’s is refused with a free one', async () => {
    const { status, response } = await run([], '001-other')
    expect(status).toBe('failed')
    expect(response.error).toMatch(/already taken by 001-login.*such as \d{3}-other/)
  })

  it('shows nothing of what lies outside by a link', async () => {
    const worktree = join(folder.path, 'links')
    userGit(repository, 'worktree', 'add', '--quiet', '-b', '008-links', worktree)
    writeFiles(worktree, { 'specs/008-links/notes.md': 'x' })
    symlinkSync('/etc/passwd', join(worktree, 'specs/008-links/secret.md'))
    userGit(worktree, 'add', '--all')
    userGit(worktree, 'commit', '--quiet', '-m', 'a link out')
    userGit(repository, 'worktree', 'remove', worktree)
    const { response } = await run(['write a.md x'], '008-links')
    const data = response.result?.data
    expect(data?.artifacts?.map(({ path }) => path)).toEqual(['specs/008-links/notes.md', 'specs/008-links/spec.md'])
    expect(data?.checks).toContainEqual(
      expect.objectContaining({ path: 'specs/008-links/secret.md', message: expect.stringContaining('leads out') }),
    )
  })
})

describe('cancelling', () => {
  it('by the key, for who never learnt the id', async () => {
    const idempotency_key = crypto.randomUUID()
    const request = specify(['hang'], { feature_id: '018-cancel-by-key' })
    const { id } = await hub.start(STUB, request, idempotency_key)
    const cancel = (body: object) =>
      hub.fetch('/invocations/cancel', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    await expect.poll(async () => (await hub.get(id)).status).toBe('running')
    expect((await cancel({ idempotency_key: crypto.randomUUID() })).status).toBe(404)
    expect((await cancel({ idempotency_key: 'two words' })).status).toBe(422)
    expect((await hub.get(id)).status).toBe('running')
    expect((await cancel({ idempotency_key })).status).toBe(200)
    await expect.poll(async () => (await hub.get(id)).status).toBe('cancelled')
  })

  it('reaches the agent, and twice is once', async () => {
    const { id } = await hub.start(STUB, specify(['write pid.md x', 'hang'], { feature_id: '010-cancel' }))
    await expect.poll(async () => (await hub.get(id)).status).toBe('running')
    await hub.fetch(`/invocations/${id}/cancel`, { method: 'POST' })
    const response = await hub.finish(id)
    expect(response).toMatchObject({ success: false, error: 'It was cancelled.' })
    expect((await hub.fetch(`/invocations/${id}/cancel`, { method: 'POST' })).status).toBe(200)
    expect((await hub.events(id)).filter(({ type }) => type === 'invocation.finished')).toHaveLength(1)
    expect((await hub.get(id)).status).toBe('cancelled')
  })

  it('takes what waits out of the queue', async () => {
    const body = specify(['hang'], { feature_id: '011-queue' })
    const first = await hub.start(STUB, body)
    const second = await hub.start(STUB, body)
    await expect.poll(async () => (await hub.get(first.id)).status).toBe('running')
    expect((await hub.get(second.id)).status).toBe('queued')
    await hub.fetch(`/invocations/${second.id}/cancel`, { method: 'POST' })
    expect(await hub.get(second.id)).toMatchObject({ status: 'cancelled', started_at: null })
    await hub.fetch(`/invocations/${first.id}/cancel`, { method: 'POST' })
    await hub.finish(first.id)
  })

  it('happens to a plain call whose caller leaves, unless it has a key', async () => {
    const leaving = new AbortController()
    const go = join(folder.path, 'go')
    const headers = { 'content-type': 'application/json' }
    const post = async (body: object, more: Record<string, string>) =>
      hub.fetch(`/invoke/${STUB}`, {
        method: 'POST',
        headers: { ...headers, ...more },
        body: JSON.stringify(body),
        signal: leaving.signal,
      })
    const lasting = specify([`await ${go}`, 'write a.md x'], { feature_id: '013-keyed' })
    const plain = post(specify(['hang', 'write a.md x'], { feature_id: '012-plain' }), {}).catch(() => 'left')
    const keyed = post(lasting, { 'idempotency-key': 'stays' }).catch(() => 'left')
    const { id } = await hub.start(STUB, lasting, 'stays')
    const figures = async () => (await hub.fetch('/metrics')).text()
    await expect.poll(figures).toMatch(/^hub_running 2$/m)
    const clone = () => userGit(repository, 'branch', '--list', '012-plain')
    leaving.abort()
    expect(await Promise.all([plain, keyed])).toEqual(['left', 'left'])
    // The lane of the first is free again only when it has ended: what comes after it proves that it has.
    await run(['write b.md x'], '012-plain')
    expect(clone()).toContain('012-plain')
    expect((await hub.get(id)).status).toBe('running')
    writeFileSync(go, '')
    expect((await hub.finish(id)).success).toBe(true)
    expect(userGit(repository, 'ls-tree', '--name-only', '012-plain').split('\n')).toEqual([
      'README.md',
      'b.md',
      'specs',
    ])
  })
})

describe('a plain call whose caller leaves while it is written down', () => {
  /** Sends the request and is gone. */
  async function sendAndLeave(feature_id: string): Promise<void> {
    const { hostname, port, host } = new URL(hub.url)
    const body = JSON.stringify(specify(['hang'], { feature_id }))
    const headers = ['content-type: application/json', `content-length: ${Buffer.byteLength(body)}`]
    const socket = connect(Number(port), hostname)
    await once(socket, 'connect')
    socket.end([`POST /invoke/${STUB} HTTP/1.1`, `host: ${host}`, ...headers, '', body].join('\r\n'))
    await once(socket.resume(), 'close')
  }

  function statusesOf(feature_id: string): unknown[] {
    const database = new DatabaseSync(join(folder.path, 'data/agent-hub.db'), { readOnly: true })
    const plain = `select status from invocations where feature_id = ? and idempotency_key is null`
    const rows = database.prepare(plain).all(feature_id)
    database.close()
    return rows.map(({ status }) => status)
  }

  it('is cancelled too', async () => {
    const feature_id = '014-hasty'
    const waiting: string[] = []
    for (let round = 0; round < 10; round++) {
      const keys = [crypto.randomUUID(), crypto.randomUUID()]
      // Two in one commit: for the next one the writer then waits whether another comes, and that takes a moment.
      const pair = await Promise.all(keys.map(async (key) => hub.start(STUB, specify(['hang'], { feature_id }), key)))
      waiting.push(...pair.map(({ id }) => id))
      await sendAndLeave(feature_id)
    }
    await expect.poll(() => statusesOf(feature_id)).toEqual(Array.from({ length: 10 }, () => 'cancelled'))
    for (const id of waiting.toReversed()) await hub.fetch(`/invocations/${id}/cancel`, { method: 'POST' })
    for (const id of waiting) await hub.finish(id)
  })
})

describe('keys and order', () => {
  it('a key never runs twice, however often and fast it comes', async () => {
    const body = specify(['write once.md x'], { feature_id: '020-once' })
    const all = await Promise.all(Array.from({ length: 20 }, async () => hub.start(STUB, body, 'once')))
    expect(new Set(all.map(({ id }) => id)).size).toBe(1)
    const response = await hub.finish(all[0]!.id)
    const plain = await hub.invoke(STUB, body, { 'idempotency-key': 'once' })
    expect(await plain.json()).toEqual(response)
    expect(userGit(repository, 'rev-list', '--count', 'main..020-once')).toBe('1')
  })

  it('one at a time for a feature, features side by side, oldest first beyond the bound', async () => {
    const start = async (feature_id: string) => (await hub.start(STUB, specify(['hang'], { feature_id }))).id
    const ids = [
      await start('021-a'),
      await start('021-a'),
      await start('022-b'),
      await start('023-c'),
      await start('024-d'),
    ]
    const statuses = async () => Promise.all(ids.map(async (id) => (await hub.get(id)).status))
    await expect.poll(statuses).toEqual(['running', 'queued', 'running', 'running', 'queued'])
    await hub.fetch(`/invocations/${ids[2]}/cancel`, { method: 'POST' })
    await expect.poll(statuses).toEqual(['running', 'queued', 'cancelled', 'running', 'running'])
    await hub.fetch(`/invocations/${ids[0]}/cancel`, { method: 'POST' })
    await expect.poll(statuses).toEqual(['cancelled', 'running', 'cancelled', 'running', 'running'])
    for (const id of ids) await hub.fetch(`/invocations/${id}/cancel`, { method: 'POST' })
    for (const id of ids) await hub.finish(id)
  })

  it('events are numbered without a gap, and resume after any of them', async () => {
    const { id } = await run(['say one', 'think two', 'plan', 'write a.md x'], '025-events')
    const events = await hub.events(id)
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1))
    expect(events.length).toBeGreaterThan(4)
    expect(await hub.events(id, 3)).toEqual(events.slice(3))
    expect(await hub.events(id, events.length)).toEqual([])
  })
})
