import { mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

import { featureIdSchema } from '@orchestrator/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { createVerifier, probeSandbox } from '../../src/acp/index.ts'
import type { AgentProcess } from '../../src/core/ports.ts'
import { isRunning } from '../acp-fixture.ts'
import { makeRepository, temporaryFolder, userGit } from '../git-fixture.ts'
import { specify, startHubProcess, type HubProcess } from '../hub-process.ts'
import { workspacesOf } from '../workspaces-fixture.ts'

const sandbox = await probeSandbox({ setting: 'auto', env: process.env })
let folder: ReturnType<typeof temporaryFolder>

beforeEach(() => {
  folder = temporaryFolder()
})
afterEach(async () => {
  await folder.remove()
})

describe.each([
  ['off', { kind: 'off' } as const, true],
  ['bubblewrap', sandbox, sandbox.kind === 'bubblewrap'],
])('the verify command, sandbox %s', (_, walls, works) => {
  const run = async (command: string, timeout_ms = 20_000, signal = new AbortController().signal) => {
    const working_copy = join(folder.path, 'copy')
    const homes = join(folder.path, 'homes')
    for (const path of [working_copy, homes]) mkdirSync(path, { recursive: true })
    const processes: AgentProcess[] = []
    const verifier = createVerifier({
      command,
      timeout_ms,
      sandbox: walls,
      homes,
      env: { ...process.env, TOKEN: 'secret' },
    })
    const outcome = await verifier.run({ working_copy, signal, onProcess: (process) => processes.push(process) })
    return { outcome, processes }
  }

  it.runIf(works)('tells exit code and last words', async () => {
    const { outcome } = await run('echo one; echo two >&2; exit 3')
    expect(outcome).toMatchObject({ kind: 'ran', exit_code: 3, timed_out: false, tail: 'one\ntwo' })
    expect((await run('node --version && pwd')).outcome).toMatchObject({
      exit_code: 0,
      tail: `${process.version}\n${join(folder.path, 'copy')}`,
    })
  })

  it.runIf(works)('does not see the secrets of the hub', async () => {
    expect((await run('env')).outcome).toHaveProperty('tail', expect.not.stringContaining('secret'))
  })

  it.runIf(works)('is ended by its time limit, with all that it started', async () => {
    const { outcome, processes } = await run('sleep 60 & echo begun; sleep 60', 2_000)
    expect(outcome).toMatchObject({ kind: 'ran', exit_code: null, timed_out: true, tail: 'begun' })
    expect(await isRunning(processes[0]!.pid)).toBe(false)
  })

  it.runIf(works)('does not wait for what it leaves running', async () => {
    const started = performance.now()
    expect((await run('sleep 60 & echo done')).outcome).toMatchObject({ exit_code: 0, tail: 'done' })
    expect(performance.now() - started).toBeLessThan(20_000)
  })

  it.runIf(works)('ends when it is cancelled', async () => {
    expect((await run('sleep 60', 60_000, AbortSignal.timeout(300))).outcome).toMatchObject({ exit_code: null })
  })
})

describe('behind walls', () => {
  it.runIf(sandbox.kind === 'bubblewrap')('it reaches neither the network nor files outside', async () => {
    const server = createServer((_request, response) => response.end('reached')).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    for (const name of ['copy', 'homes']) mkdirSync(join(folder.path, name))
    writeFileSync(join(folder.path, 'secret.txt'), 'canary')
    const command = `cat ${folder.path}/secret.txt; node -e "fetch('http://127.0.0.1:${port}').then((r) => console.log(r.status), () => console.log('no network'))"`
    const options = { timeout_ms: 20_000, sandbox, homes: join(folder.path, 'homes'), env: process.env }
    const verifier = createVerifier({ command, ...options })
    const outcome = await verifier.run({
      working_copy: join(folder.path, 'copy'),
      signal: new AbortController().signal,
      onProcess: () => {},
    })
    server.close()
    expect(outcome).toHaveProperty('tail', expect.stringContaining('no network'))
    expect(JSON.stringify(outcome)).not.toContain('canary')
  })

  it('it is not run where there are none, and says what to do', async () => {
    const missing = { kind: 'missing', reason: 'bubblewrap is not installed.' } as const
    const verifier = createVerifier({ command: 'true', timeout_ms: 1, sandbox: missing, homes: folder.path, env: {} })
    const outcome = await verifier.run({
      working_copy: folder.path,
      signal: new AbortController().signal,
      onProcess: () => {},
    })
    expect(outcome).toEqual({ kind: 'not_run', reason: missing.reason })
  })
})

describe('a snapshot', () => {
  it('is what the files are put back to, without following a link out', async () => {
    const repository = makeRepository(join(folder.path, 'shop'), { 'src/a.txt': 'a', 'b.txt': 'b' })
    const outside = join(folder.path, 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'a.txt'), 'theirs')
    const workspaces = workspacesOf(repository, join(folder.path, 'data'))
    const copy = await workspaces.open('default', featureIdSchema.parse('001-x'))
    writeFileSync(join(copy.path, 'new.txt'), 'by the agent')
    const before = await copy.snapshot()

    writeFileSync(join(copy.path, 'new.txt'), 'by the command')
    writeFileSync(join(copy.path, 'report.txt'), 'by the command')
    rmSync(join(copy.path, 'b.txt'))
    rmSync(join(copy.path, 'src'), { recursive: true })
    symlinkSync(outside, join(copy.path, 'src'))
    expect((await copy.since(before).look()).changes.map(({ path, change }) => `${change} ${path}`).sort()).toEqual([
      'added report.txt',
      'added src',
      'deleted b.txt',
      'deleted src/a.txt',
      'modified new.txt',
    ])
    await copy.restore(before)

    expect((await copy.since(before).look()).changes).toEqual([])
    expect(readFileSync(join(copy.path, 'src/a.txt'), 'utf8')).toBe('a')
    expect(readFileSync(join(outside, 'a.txt'), 'utf8')).toBe('theirs')
    expect((await copy.look()).changes).toEqual([{ path: 'new.txt', change: 'added' }])
  })
})

describe('implement', () => {
  let hub: HubProcess

  afterEach(async () => {
    await hub.stop()
  })

  it('brings the command’s verdict as evidence, and commits nothing of what the command wrote', async () => {
    const repository = makeRepository(join(folder.path, 'shop'), {
      'specs/001-x/tasks.md': '# Tasks\n\n## Phase 1: Setup\n\n- [X] T001 Write a.txt\n',
    })
    hub = await startHubProcess({
      folder: folder.path,
      env: { WORKSPACE: repository, VERIFY_COMMAND: 'echo coverage > coverage.txt; echo 1 test failed; exit 1' },
    })
    const body = specify(['write a.txt hello'], { feature_id: '001-x' })
    const response = await hub.finish((await hub.start('gemini', { ...body, workflow_type: 'implement' })).id)
    expect(response.result?.data?.['verify']).toMatchObject({ exit_code: 1, timed_out: false, tail: '1 test failed' })
    expect(response.result?.data?.checks).toContainEqual(
      expect.objectContaining({
        id: 'verify-command',
        level: 'warning',
        message: expect.stringContaining('1 test failed'),
      }),
    )
    expect(userGit(repository, 'diff', '--name-only', 'main', '001-x')).toBe('a.txt')
  })
})
