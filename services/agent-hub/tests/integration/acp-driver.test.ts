import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { createAcpFixture, isRunning, limits, stubProfile, type AcpFixture } from '../acp-fixture.ts'

let fixture: AcpFixture

beforeEach(async () => {
  fixture = await createAcpFixture({ keep_alive: { max: 0, idle_ms: 0 } })
})

afterEach(async () => {
  await fixture[Symbol.asyncDispose]()
})

/** Every process that the driver told of is gone. */
async function expectNobodyLeft(): Promise<void> {
  await fixture.driver.close()
  const running = await Promise.all(fixture.processes.map(async ({ pid }) => await isRunning(pid)))
  expect(running).toEqual(fixture.processes.map(() => false))
}

describe('a turn that ends well', () => {
  it('writes in the working copy and answers with the closing message', async () => {
    const outcome = await fixture.driver.run(
      fixture.turn('stub: say Let me see.\nstub: write specs/001-a/spec.md hello world\nstub: say All written.'),
    )

    expect(outcome).toMatchObject({ kind: 'ended', stop_reason: 'end_turn', usage: null })
    expect(outcome).toHaveProperty('text', expect.stringMatching(/^All written\.\nTurn 1 is done\./))
    expect(await fixture.read('specs/001-a/spec.md')).toBe('hello world\n')
    expect(fixture.processes).toHaveLength(1)
    await expectNobodyLeft()
  })

  it('tells what the agent does, in order, with paths relative to the working copy', async () => {
    await fixture.driver.run(
      fixture.turn('stub: think hm\nstub: plan\nstub: write a/b.md text\nstub: cost 0.25\nstub: say bye'),
    )

    // On a busy machine what the agent says may be told in several pieces, and a call before it has ended.
    const kinds = fixture.updates.map(({ kind }) => kind).filter((kind, at, all) => kind !== all[at - 1])
    expect(kinds).toEqual(['thought', 'plan', 'tool_call', 'usage', 'message'])
    expect(fixture.updates.findLast(({ kind }) => kind === 'tool_call')?.tool_call).toEqual({
      id: 'write-1-a/b.md',
      title: 'Write a/b.md',
      kind: 'edit',
      status: 'completed',
      paths: ['a/b.md'],
    })
  })

  it('reports what it cost', async () => {
    const outcome = await fixture.driver.run(fixture.turn('stub: cost 0.25'))

    expect(outcome).toMatchObject({ usage: { input_tokens: null, output_tokens: null, cost_usd: 0.25 } })
  })

  it.each(['crash', 'refuse'])('reports what a turn cost that ends with a %s', async (mood) => {
    const outcome = await fixture.driver.run(fixture.turn(`stub: cost 0.25\nstub: ${mood}`))
    expect(outcome).toMatchObject({ kind: 'failed', usage: { cost_usd: 0.25 } })
  })

  it('reports what a cancelled turn had cost', async () => {
    const abort = new AbortController()
    const turn = fixture.turn('stub: cost 0.25\nstub: hang', { signal: abort.signal, onUpdate: () => abort.abort() })
    expect(await fixture.driver.run(turn)).toMatchObject({ kind: 'cancelled', usage: { cost_usd: 0.25 } })
  })

  it('passes a lie on as it is: the working copy tells the truth', async () => {
    const outcome = await fixture.driver.run(fixture.turn('stub: lie'))

    expect(outcome).toMatchObject({ kind: 'ended', stop_reason: 'end_turn' })
    await expect(fixture.read('spec.md')).rejects.toThrow('ENOENT')
  })

  it('passes questions on in the closing message', async () => {
    const outcome = await fixture.driver.run(fixture.turn('stub: question'))

    expect(outcome).toHaveProperty('text', expect.stringContaining('"open_questions":["Which provider is meant?"]'))
  })

  it('sets the mode that the profile names', async () => {
    const outcome = await fixture.driver.run(
      fixture.turn('stub: say hi', { agent: { ...stubProfile(), mode: 'unknown' } }),
    )

    expect(outcome).toEqual({
      kind: 'failed',
      reason: 'The agent "stub" answered with an error: Invalid params: no such mode.',
      timeout: false,
      usage: null,
    })
    await expectNobodyLeft()
  })
})

describe('what an agent gets to see', () => {
  it('is an allow-list of the environment, the profile’s and the turn’s variables, and nothing of the service', async () => {
    await using walled = await createAcpFixture({
      env: { PATH: process.env['PATH'], LANG: 'C.UTF-8', AGENT_HUB_TOKEN: 'canary-1', SECRET_KEY: 'canary-2' },
    })
    const agent = { ...stubProfile(), env: { MODEL_HOME: '{home}/model' } }

    await walled.driver.run(walled.turn('stub: env env.json', { agent, env: { SPECIFY_FEATURE: '001-a' } }))

    const text = await walled.read('env.json')
    expect(text).not.toContain('canary')
    expect(Object.keys(JSON.parse(text)).sort()).toEqual(
      [
        'HOME',
        'LANG',
        'MODEL_HOME',
        'NO_COLOR',
        'ORCHESTRATOR_AGENT_RUN',
        'PATH',
        'SHELL',
        'SPECIFY_FEATURE',
        'TERM',
        'TMPDIR',
      ].sort(),
    )
    expect(JSON.parse(text)).toMatchObject({
      HOME: walled.home,
      MODEL_HOME: join(walled.home, 'model'),
      SPECIFY_FEATURE: '001-a',
      TMPDIR: join(walled.home, '.hub-tmp'),
    })
  })

  it('is a HOME with the profile’s files, laid over links that an earlier turn planted', async () => {
    const victim = join(fixture.folder, 'victim')
    await mkdir(victim)
    await writeFile(join(victim, 'settings.json'), 'mine')
    await mkdir(fixture.home)
    await symlink(victim, join(fixture.home, '.stub'))
    const agent = { ...stubProfile(), home_files: { '.stub/settings.json': '{"home":"{home}"}' } }

    await fixture.driver.run(fixture.turn('stub: say hi', { agent }))

    expect(await fixture.read('../home/.stub/settings.json')).toBe(JSON.stringify({ home: fixture.home }))
    expect(await fixture.read('../victim/settings.json')).toBe('mine')
  })
})

describe('permission requests', () => {
  it.each([
    ['edit', 'inside.md', 'granted'],
    ['edit', '../outside.md', 'denied (o-3)'],
    ['delete', '/etc/passwd', 'denied (o-3)'],
    ['read', 'inside.md', 'granted'],
    ['execute', 'inside.md', 'denied (o-3)'],
    ['fetch', 'inside.md', 'denied (o-3)'],
    ['edit', '', 'denied (o-3)'],
  ])('%s %s is %s', async (kind, path, answer) => {
    const outcome = await fixture.driver.run(fixture.turn(`stub: ask ${kind} ${path}`))

    expect(outcome).toHaveProperty('text', expect.stringContaining(answer))
    expect(fixture.updates.filter((update) => update.kind === 'permission')).toHaveLength(1)
  })

  it('follows links before it says that a file is inside', async () => {
    await symlink('/etc', join(fixture.working_copy, 'link'))
    await symlink(join(fixture.folder, 'nothing-yet'), join(fixture.working_copy, 'dangling'))

    const outcome = await fixture.driver.run(fixture.turn('stub: ask edit link/new.md\nstub: ask edit dangling'))

    expect(outcome).toMatchObject({ kind: 'ended' })
    expect(fixture.updates.filter(({ kind }) => kind === 'permission').map(({ text }) => text)).toEqual([
      'Refused: edit link/new.md (outside of the working copy)',
      'Refused: edit dangling (outside of the working copy)',
    ])
  })
})

describe('cancelling', () => {
  it('is answered by an agent that listens', async () => {
    const abort = new AbortController()
    const turn = fixture.turn('stub: say started\nstub: hang', {
      signal: abort.signal,
      onUpdate: () => abort.abort(),
    })

    expect(await fixture.driver.run(turn)).toEqual({ kind: 'cancelled', usage: null })
    await expectNobodyLeft()
  })

  it('ends an agent that does not listen once the grace is over', async () => {
    const abort = new AbortController()
    let cancelled_at = 0
    const turn = fixture.turn('stub: say started\nstub: deaf', {
      signal: abort.signal,
      onUpdate() {
        cancelled_at = performance.now()
        abort.abort()
      },
      limits: { ...limits, cancel_grace_ms: 300 },
    })

    expect(await fixture.driver.run(turn)).toEqual({ kind: 'cancelled', usage: null })
    // The grace, and then not the time after which a silent agent would be ended anyway. `bench/hub.ts` measures it.
    expect(performance.now() - cancelled_at).toBeGreaterThanOrEqual(300)
    expect(performance.now() - cancelled_at).toBeLessThan(limits.idle_ms)
    await expectNobodyLeft()
  })

  it('starts nothing when it came first', async () => {
    expect(await fixture.driver.run(fixture.turn('stub: say hi', { signal: AbortSignal.abort() }))).toEqual({
      kind: 'cancelled',
      usage: null,
    })
    expect(fixture.processes).toEqual([])
  })

  it('reaches an agent that is still starting', async () => {
    const abort = new AbortController()
    const turn = fixture.turn('stub: say hi', {
      agent: stubProfile('--start=deaf'),
      signal: abort.signal,
      onProcess(process) {
        fixture.processes.push(process)
        abort.abort()
      },
    })

    expect(await fixture.driver.run(turn)).toEqual({ kind: 'cancelled', usage: null })
    await expectNobodyLeft()
  })
})

describe('an agent that fails', () => {
  it('by not existing', async () => {
    const agent = { ...stubProfile(), command: ['/nowhere/agent'] as const, install: 'npm install agent' }

    expect(await fixture.driver.run(fixture.turn('hi', { agent }))).toEqual({
      kind: 'failed',
      reason:
        'The agent "stub" could not be started: /nowhere/agent does not exist. Install it with "npm install agent".',
      timeout: false,
      usage: null,
    })
  })

  it('by ending at start', async () => {
    expect(await fixture.driver.run(fixture.turn('hi', { agent: stubProfile('--start=exit') }))).toEqual({
      kind: 'failed',
      reason: 'The agent "stub" ended by itself (exit code 3). Its last words: stub: no licence found.',
      timeout: false,
      usage: null,
    })
    await expectNobodyLeft()
  })

  it('by saying nothing at start', async () => {
    const turn = fixture.turn('hi', {
      agent: stubProfile('--start=deaf'),
      limits: { ...limits, initialize_ms: 200 },
    })

    expect(await fixture.driver.run(turn)).toEqual({
      kind: 'failed',
      reason: 'The agent "stub" did not answer initialize within 0.2 s.',
      timeout: true,
      usage: null,
    })
    await expectNobodyLeft()
  })

  it('by talking nonsense at start', async () => {
    const outcome = await fixture.driver.run(fixture.turn('hi', { agent: stubProfile('--start=babble') }))

    expect(outcome).toMatchObject({ kind: 'failed', timeout: false })
    expect(outcome).toHaveProperty(
      'reason',
      expect.stringMatching(/does not speak ACP on its standard output. It wrote: .*Welcome to the stub, line 49/),
    )
    await expectNobodyLeft()
  })

  it('by talking nonsense in the middle of a turn', async () => {
    const outcome = await fixture.driver.run(fixture.turn('stub: babble 60'))

    expect(outcome).toHaveProperty('reason', expect.stringContaining('does not speak ACP'))
    await expectNobodyLeft()
  })

  it('by writing a line without an end', async () => {
    expect(await fixture.driver.run(fixture.turn('stub: bloat 64'))).toEqual({
      kind: 'failed',
      reason: 'The agent "stub" wrote a line of more than 16 MiB.',
      timeout: false,
      usage: null,
    })
    await expectNobodyLeft()
  })

  it('by dying in the middle of a turn, with what it wrote before kept', async () => {
    expect(await fixture.driver.run(fixture.turn('stub: write half.md text\nstub: crash'))).toEqual({
      kind: 'failed',
      reason: 'The agent "stub" ended by itself (exit code 7). Its last words: stub: out of luck.',
      timeout: false,
      usage: null,
    })
    expect(await fixture.read('half.md')).toBe('text\n')
    await expectNobodyLeft()
  })

  it('by answering with an error', async () => {
    expect(await fixture.driver.run(fixture.turn('stub: refuse'))).toEqual({
      kind: 'failed',
      reason: 'The agent "stub" answered with an error: Internal error: the model answered 429.',
      timeout: false,
      usage: null,
    })
    await expectNobodyLeft()
  })

  it('by giving no sign of life', async () => {
    const turn = fixture.turn('stub: deaf', { limits: { ...limits, idle_ms: 300, cancel_grace_ms: 100 } })

    expect(await fixture.driver.run(turn)).toEqual({
      kind: 'failed',
      reason: 'The agent "stub" gave no sign of life for 0.3 s.',
      timeout: true,
      usage: null,
    })
    await expectNobodyLeft()
  })

  it('by working for too long', async () => {
    const turn = fixture.turn('stub: hang', { limits: { ...limits, turn_ms: 300 } })

    expect(await fixture.driver.run(turn)).toEqual({
      kind: 'failed',
      reason: 'The agent "stub" was still at work after 0.3 s, the longest a turn may take.',
      timeout: true,
      usage: null,
    })
    await expectNobodyLeft()
  })

  it('for want of a working copy', async () => {
    const outcome = await fixture.driver.run(fixture.turn('hi', { working_copy: '/nowhere/copy' }))

    expect(outcome).toHaveProperty('reason', 'The agent "stub" was not started, because /nowhere/copy is no folder.')
    expect(fixture.processes).toEqual([])
  })
})

describe('a bad neighbour', () => {
  it('leaves no child behind, neither in its group nor outside of it', async () => {
    const outcome = await fixture.driver.run(fixture.turn('stub: fork child.pid\nstub: flee fled.pid'))
    const pids = await Promise.all([fixture.read('child.pid'), fixture.read('fled.pid')])
    await fixture.driver.close()

    expect(outcome).toMatchObject({ kind: 'ended' })
    expect(await Promise.all(pids.map(async (pid) => await isRunning(Number(pid))))).toEqual([false, false])
    await expectNobodyLeft()
  })

  it('floods updates at no more than a bounded price', async () => {
    const before = process.memoryUsage().rss
    // A machine that is busy with other things takes its time.
    const patient = { ...limits, turn_ms: 110_000 }
    const outcome = await fixture.driver.run(fixture.turn('stub: flood 60000', { limits: patient }))

    expect(outcome).toMatchObject({ kind: 'ended' })
    expect(fixture.updates).toHaveLength(20_001)
    expect(fixture.updates.at(-1)).toEqual({
      kind: 'note',
      text: 'The agent wrote so much that the rest of this turn is left out here.',
    })
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024)
  }, 120_000)

  it('loses none of a thousand updates', async () => {
    await fixture.driver.run(fixture.turn('stub: flood 1000'))

    expect(fixture.updates.filter(({ kind }) => kind === 'tool_call')).toHaveLength(500)
    const text = fixture.updates.map((update) => update.text).join('')
    expect(text.match(/\d+ x{200}/g)).toHaveLength(500)
  })
})
