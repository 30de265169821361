import { mkdirSync, writeFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { featureIdSchema } from '@orchestrator/contract'
import { openDatabase } from '@orchestrator/sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { digestBytes } from '../../src/core/digest.ts'
import type { Prepared } from '../../src/core/store.ts'
import { createInvocationStore } from '../../src/db/invocation-store.ts'
import { migrations } from '../../src/db/migrations.ts'
import type { Tables } from '../../src/db/tables.ts'
import { isRunning } from '../acp-fixture.ts'
import { makeRepository, temporaryFolder, userGit, writeFiles } from '../git-fixture.ts'
import { refusedStart, specify, startHubProcess, STUB, type HubProcess } from '../hub-process.ts'
import { SPEC, workspacesOf } from '../workspaces-fixture.ts'

let folder: ReturnType<typeof temporaryFolder>
let repository: string
let hubs: HubProcess[]

beforeEach(() => {
  folder = temporaryFolder()
  repository = makeRepository(join(folder.path, 'shop'))
  hubs = []
})
afterEach(async () => {
  for (const hub of hubs) await hub.stop()
  await folder.remove()
})

async function start(env: Record<string, string> = {}): Promise<HubProcess> {
  const hub = await startHubProcess({ folder: folder.path, env: { WORKSPACE: repository, ...env } })
  hubs.push(hub)
  return hub
}

const isGone = async (pid: number) => !(await isRunning(pid))

/** At work until `letGo`, so that whatever is done to its hub is done in the middle. */
const slow = () => specify(['flee pid', 'write specs/001-login/spec.md text', `await ${join(folder.path, 'go')}`])
const letGo = () => writeFileSync(join(folder.path, 'go'), '')

/** Of the one feature that these tests have. */
async function pidPath(): Promise<string> {
  const workspaces = join(folder.path, 'data/workspaces')
  const [workspace] = await readdir(workspaces)
  return join(workspaces, workspace!, '001-login/tree/pid')
}

async function agentPid(hub: HubProcess, id: string): Promise<number> {
  await expect.poll(async () => (await hub.get(id)).status).toBe('running')
  const read = async () => readFile(await pidPath(), 'utf8').catch(() => '')
  await expect.poll(read).toMatch(/^\d+$/)
  return Number(await read())
}

/** The processes that are written down with sessions. */
function recordedPids(): unknown[] {
  const database = new DatabaseSync(join(folder.path, 'data/agent-hub.db'), { readOnly: true })
  const rows = database.prepare('select process_pid from sessions').all()
  database.close()
  return rows.map((row) => row['process_pid'])
}

describe('a hub that is killed in the middle', () => {
  it('ends the agent it left behind and runs the invocation again, once', async () => {
    const first = await start()
    const { id } = await first.start(STUB, slow(), 'attempt-1')
    const pid = await agentPid(first, id)
    await first.kill()
    expect(await isGone(pid)).toBe(false)

    const second = await start()
    await expect.poll(async () => isGone(pid)).toBe(true)
    const attached = await second.start(STUB, slow(), 'attempt-1')
    expect(attached.id).toBe(id)
    letGo()
    const response = await second.finish(id)
    expect(response.success).toBe(true)
    expect(userGit(repository, 'rev-list', '--count', 'main..001-login')).toBe('1')
    const events = await second.events(id)
    expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index + 1))
  })

  it('ends the command that verified the agent’s work, beside which no agent waited', async () => {
    const tasks = { 'specs/001-login/tasks.md': '# Tasks\n\n## Phase 1: Setup\n\n- [X] T001 Write a.txt\n' }
    const pids = join(folder.path, 'verifying')
    const env = {
      WORKSPACE: makeRepository(join(folder.path, 'verified'), tasks),
      HUB_SANDBOX: 'off',
      VERIFY_COMMAND: `echo $$ > ${pids}; sleep 120`,
    }
    const first = await start(env)
    const body = specify(['flee pid', 'write a.txt hello'], { feature_id: '001-login' })
    const { id } = await first.start(STUB, { ...body, workflow_type: 'implement' })
    const fled = await agentPid(first, id)
    const read = async () => readFile(pids, 'utf8').catch(() => '')
    await expect.poll(read, { timeout: 20_000 }).toMatch(/^\d+\n$/)
    const verifying = Number(await read())
    await expect.poll(recordedPids).toContain(verifying)
    await first.kill()
    expect([await isGone(fled), await isGone(verifying)]).toEqual([true, false])

    await start({ ...env, VERIFY_COMMAND: 'true' })
    await expect.poll(async () => isGone(verifying)).toBe(true)
  })

  it('does not run again what was cancelled', async () => {
    const first = await start()
    const { id } = await first.start(STUB, specify(['flee pid', 'deaf']))
    await agentPid(first, id)
    await first.fetch(`/invocations/${id}/cancel`, { method: 'POST' })
    expect((await first.get(id)).status).toBe('running')
    await first.kill()
    const second = await start()
    await second.finish(id)
    expect((await second.get(id)).status).toBe('cancelled')
  })

  /** Work as a hub leaves it that ends between its answer and the commit. Answers the invocation's id. */
  async function leaveFinished(text: string | undefined, shown: string): Promise<string> {
    const path = join(folder.path, 'data/agent-hub.db')
    const database = await openDatabase<Tables>({ path, migrations, variable: 'HUB_DATABASE_URL' })
    const store = createInvocationStore(database, (session_id) => join(folder.path, 'data/homes', session_id))
    const feature_id = featureIdSchema.parse('001-login')
    const [id, session_id, now] = [crypto.randomUUID(), crypto.randomUUID(), new Date().toISOString()]
    const place = { agent: STUB, workspace: 'default', feature_id, created_at: now }
    await store.createInvocation({ ...place, id, idempotency_key: null, body_hash: '', request: specify(['crash']) })
    await store.startInvocation(id, { ...place, id: session_id, acp_session_id: null }, now)
    const prepared: Prepared = {
      response: {
        success: true,
        result: {
          output: 'Written.',
          files_created: [SPEC],
          data: {
            artifacts: [{ path: SPEC, digest: digestBytes(shown), size: shown.length, media_type: 'text/markdown' }],
          },
        },
        confidence: 70,
      },
      commit_message: `specify phase_1 attempt 1 for 001-login\n\nInvocation: ${id}`,
    }
    await store.prepareInvocation(id, prepared, [
      { digest: digestBytes(shown), bytes: new TextEncoder().encode(shown) },
    ])
    await database.close()
    const workspaces = workspacesOf(repository, join(folder.path, 'data'))
    writeFiles((await workspaces.open('default', feature_id)).path, text === undefined ? {} : { [SPEC]: text })
    return id
  }

  it('does not run an agent again whose work was finished but not yet committed', async () => {
    const id = await leaveFinished('finished', 'finished')
    const hub = await start()
    const response = await hub.finish(id)
    expect(response).toMatchObject({ success: true, confidence: 70 })
    expect(userGit(repository, 'show', '001-login:specs/001-login/spec.md')).toBe('finished')
    expect(response.result?.data?.commit).toBe(userGit(repository, 'rev-parse', '001-login'))
    expect((await hub.events(id)).map(({ type }) => type)).toEqual(['invocation.finished'])
  })

  it('shows what is committed, where that is not what was looked at before', async () => {
    const id = await leaveFinished('written later', 'looked at')
    const hub = await start()
    const response = await hub.finish(id)
    expect(userGit(repository, 'show', `001-login:${SPEC}`)).toBe('written later')
    const shown = response.result!.data!.artifacts!
    expect(shown.map(({ path, digest }) => [path, digest])).toEqual([[SPEC, digestBytes('written later')]])
    expect(await (await hub.fetch(`/artifacts/${shown[0]!.digest}`)).text()).toBe('written later')
  })

  it('tells no success of work that is gone', async () => {
    const id = await leaveFinished(undefined, 'looked at')
    const hub = await start()
    expect(await hub.finish(id)).toMatchObject({
      success: false,
      error: expect.stringMatching(/^Nothing was committed: what the agent had written was gone/),
    })
    expect(userGit(repository, 'branch', '--list', '001-login')).toBe('')
  })

  it('keeps a secret to itself that came into the files after they were searched', async () => {
    const id = await leaveFinished('a key: canary-of-the-forge', 'looked at')
    const hub = await start({ FORGE_TOKEN: 'canary-of-the-forge' })
    expect(await hub.finish(id)).toMatchObject({
      success: false,
      error: expect.stringMatching(/^Nothing was committed: .*spec\.md holds the value of FORGE_TOKEN/),
    })
    expect(userGit(repository, 'branch', '--list', '001-login')).toBe('')
    // The next attempt begins where nothing of it lies.
    const { id: next } = await hub.start(STUB, specify([`write ${SPEC} clean`]))
    expect(await hub.finish(next)).toMatchObject({ success: true, result: { files_created: [SPEC] } })
    expect(userGit(repository, 'log', '-p', '001-login')).not.toContain('canary-of-the-forge')
  })
})

it('a hub with a damaged row goes on with the others', async () => {
  const first = await start()
  const damaged = await first.start(STUB, specify(['sleep 60000'], { feature_id: '002-damaged' }))
  const sound = await first.start(STUB, slow())
  await agentPid(first, sound.id)
  await first.kill()
  letGo()
  const database = new DatabaseSync(join(folder.path, 'data/agent-hub.db'))
  database.prepare('update invocations set request = ? where id = ?').run('{broken', damaged.id)
  database.close()
  const second = await start()
  expect((await second.finish(sound.id)).success).toBe(true)
  await expect.poll(() => second.output()).toContain(damaged.id)
  expect((await second.fetch(`/invocations/${damaged.id}`)).status).toBe(500)
})

describe('a hub that is stopped in the middle', () => {
  it('ends its agents in time and goes on at the next start', async () => {
    const first = await start()
    const { id } = await first.start(STUB, slow(), 'attempt-1')
    const queued = await first.start(STUB, specify(['write later.md x']), 'attempt-2')
    const pid = await agentPid(first, id)
    // With 1 it would say that it took more than the 4.5 s it may.
    expect(await first.stop()).toBe(0)
    expect(await isGone(pid)).toBe(true)

    letGo()
    const second = await start()
    expect((await second.finish(id)).success).toBe(true)
    expect((await second.finish(queued.id)).success).toBe(true)
    expect(userGit(repository, 'log', '--format=%s', 'main..001-login').split('\n')).toHaveLength(2)
  })

  it('takes up nothing again whose answer nobody can ask for', async () => {
    const hub = await start()
    const answer = hub.invoke(STUB, specify(['flee pid', 'hang']))
    const read = async () => readFile(await pidPath(), 'utf8').catch(() => '')
    await expect.poll(read).toMatch(/^\d+$/)
    expect(await hub.stop()).toBe(0)
    expect((await answer).status).toBe(503)
    const database = new DatabaseSync(join(folder.path, 'data/agent-hub.db'))
    const rows = database.prepare('select status from invocations').all()
    database.close()
    expect(rows.map(({ status }) => status)).toEqual(['cancelled'])
  })

  it('does not wait for an agent that hears nothing', async () => {
    const hub = await start()
    const { id } = await hub.start(STUB, specify(['flee pid', 'deaf']))
    const pid = await agentPid(hub, id)
    expect(await hub.stop()).toBe(0)
    await expect.poll(async () => isGone(pid)).toBe(true)
  })
})

describe('a start that cannot be', () => {
  const refusal = async (env: Record<string, string>) => refusedStart({ folder: folder.path, env })

  it.each([
    ['a bad port', { HUB_PORT: 'abc' }, /^HUB_PORT must be .*\n$/],
    ['a workspace that is none', { WORKSPACE: '/nowhere' }, /^WORKSPACE names \/nowhere, which is not a folder.*\n$/],
    ['other machines and no token', { HUB_HOST: '0.0.0.0' }, /^HUB_HOST is 0\.0\.0\.0.*AGENT_HUB_TOKEN.*\n$/],
    ['no git', { PATH: '/nowhere' }, /^The Agent Hub needs git.*\n$/],
    ['a database that is none', { HUB_DATABASE_URL: 'sqlite:////dev/null/x.db' }, /^HUB_DATABASE_URL.*\n$/],
    ['data that cannot be written', { HUB_DATA_DIR: '/dev/null/data' }, /^HUB_DATA_DIR.*\n$/],
  ])('with %s is one line', async (_, env, line) => {
    const { code, output } = await refusal(env)
    expect(output).toMatch(line)
    expect(output.trim().split('\n')).toHaveLength(1)
    expect(code).toBe(1)
  })

  it('with a folder that is no repository is one line', async () => {
    mkdirSync(join(folder.path, 'plain'))
    const { code, output } = await refusal({ WORKSPACE: 'plain' })
    expect(output).toMatch(/^WORKSPACE names \S+plain, which is not the top of a git repository.*\n$/)
    expect(code).toBe(1)
  })

  it('with a file in the demo repository’s place is one line', async () => {
    mkdirSync(join(folder.path, 'data'))
    writeFileSync(join(folder.path, 'data/demo-workspace'), '')
    expect((await refusal({})).output).toMatch(/^WORKSPACE.*\n$/)
  })

  it('on a port in use is one line, and ends nothing of the one that runs', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await expect.poll(() => other.listening).toBe(true)
    const address = other.address() as { port: number }
    const { code, output } = await refusal({ HUB_PORT: String(address.port), LOG_LEVEL: 'silent' })
    other.close()
    expect(output).toMatch(/^Port \d+ on 127\.0\.0\.1 is in use.*HUB_PORT.*\n$/)
    expect(code).toBe(1)
  })

  it('beside a hub with the same database is one line', async () => {
    await start()
    const { code, output } = await refusal({})
    expect(output).toMatch(/^HUB_DATABASE_URL.*another process.*\n$/)
    expect(code).toBe(1)
  })
})
