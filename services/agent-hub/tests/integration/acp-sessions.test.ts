import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { describe, expect, it } from 'vitest'

import { createAcpFixture, isRunning, stubProfile } from '../acp-fixture.ts'
import { startAgentProcess } from '../../src/acp/process-group.ts'
import type { AgentProcess } from '../../src/core/ports.ts'

const doomed_hub = fileURLToPath(new URL('../acp-doomed-hub.ts', import.meta.url))
const starved_hub = fileURLToPath(new URL('../acp-starved-hub.ts', import.meta.url))

describe('a session over several turns', () => {
  it('goes on in the same process while it is kept, and at once', async () => {
    await using fixture = await createAcpFixture()
    const began = performance.now()
    const first = await fixture.driver.run(fixture.turn('stub: say one'))
    const first_ms = performance.now() - began
    const second = await fixture.driver.run(fixture.turn('stub: say two'))
    const took: number[] = []
    for (let turn = 0; turn < 5; turn += 1) {
      const before = performance.now()
      await fixture.driver.run(fixture.turn('stub: say more'))
      took.push(performance.now() - before)
    }

    expect(first).toHaveProperty('text', expect.stringContaining('Turn 1 is done'))
    expect(second).toHaveProperty('text', expect.stringContaining('Turn 2 is done'))
    expect(fixture.processes).toHaveLength(7)
    expect(new Set(fixture.processes.map(({ pid }) => pid)).size).toBe(1)
    // A small part of what a start takes, on a machine that is as busy. `bench/hub.ts` measures it.
    expect(Math.min(...took)).toBeLessThan(first_ms / 4)
  })

  it('counts what each turn cost from the running total that agents tell', async () => {
    await using fixture = await createAcpFixture()
    const first = await fixture.driver.run(fixture.turn('stub: cost 0.25'))
    const second = await fixture.driver.run(fixture.turn('stub: cost 0.75'))

    expect(first).toHaveProperty('usage.cost_usd', 0.25)
    expect(second).toHaveProperty('usage.cost_usd', 0.5)
  })

  it('ends the process when nobody comes back in time', async () => {
    await using fixture = await createAcpFixture({ keep_alive: { max: 4, idle_ms: 50 } })
    await fixture.driver.run(fixture.turn('stub: say one'))

    await expect.poll(async () => isRunning(fixture.processes[0]!.pid)).toBe(false)
  })

  it('keeps no more than it may: the one that waited longest gives way', async () => {
    await using fixture = await createAcpFixture({ keep_alive: { max: 1, idle_ms: 60_000 } })
    await fixture.driver.run(fixture.turn('stub: say one', { session_id: 'a', home: `${fixture.home}-a` }))
    await fixture.driver.run(fixture.turn('stub: say one', { session_id: 'b', home: `${fixture.home}-b` }))

    await expect.poll(async () => isRunning(fixture.processes[0]!.pid)).toBe(false)
    expect(await isRunning(fixture.processes[1]!.pid)).toBe(true)
    expect(['a', 'b'].map(fixture.driver.findKept)).toEqual([undefined, fixture.processes[1]])
  })

  it('ends those that wait in a working copy, and what they left at work there', async () => {
    await using fixture = await createAcpFixture({ keep_alive: { max: 4, idle_ms: 60_000 } })
    await fixture.driver.run(fixture.turn('stub: flee pid', { session_id: 'a', home: `${fixture.home}-a` }))
    await fixture.driver.run(fixture.turn('stub: say one', { session_id: 'b', home: `${fixture.home}-b` }))
    const fled = Number(await fixture.read('pid'))

    expect(await fixture.driver.endKeptIn(`${fixture.working_copy}-other`)).toBe(false)
    expect(await isRunning(fled)).toBe(true)
    expect(await fixture.driver.endKeptIn(fixture.working_copy)).toBe(true)
    const pids = [fled, ...fixture.processes.map(({ pid }) => pid)]
    expect(await Promise.all(pids.map(isRunning))).toEqual([false, false, false])
    expect(await fixture.driver.endKeptIn(fixture.working_copy)).toBe(false)
  })

  it('counts those that wait: they give way when one that works needs the memory', async () => {
    // The stub is counted as 100 MB.
    await using fixture = await createAcpFixture({ keep_alive: { max: 4, idle_ms: 60_000 }, memory_mb: 250 })
    for (const session_id of ['a', 'b', 'c'])
      await fixture.driver.run(fixture.turn('stub: say one', { session_id, home: `${fixture.home}-${session_id}` }))
    expect(fixture.processes).toHaveLength(3)
    const [first, second, third] = fixture.processes.map(({ pid }) => pid)
    // Before the third began, and none of the two that are left for its sake.
    expect(await isRunning(first!)).toBe(false)
    expect([await isRunning(second!), await isRunning(third!)]).toEqual([true, true])
  })

  it('starts anew when the agent died while it waited', async () => {
    await using fixture = await createAcpFixture()
    await fixture.driver.run(fixture.turn('stub: say one'))
    const pid = fixture.processes[0]!.pid
    process.kill(pid, 'SIGKILL')
    await expect.poll(async () => isRunning(pid)).toBe(false)

    const second = await fixture.driver.run(fixture.turn('stub: say two'))

    expect(second).toHaveProperty('text', expect.stringContaining('Turn 1 is done'))
  })

  it('starts anew when the agent dies in the moment in which it is taken up again', async () => {
    await using fixture = await createAcpFixture()
    await fixture.driver.run(fixture.turn('stub: say one'))
    process.kill(fixture.processes[0]!.pid, 'SIGKILL')

    const second = await fixture.driver.run(fixture.turn('stub: say two'))

    expect(second).toHaveProperty('text', expect.stringContaining('Turn 1 is done'))
  })

  it('starts anew when the working copy was made again under the same name', async () => {
    await using fixture = await createAcpFixture()
    await fixture.driver.run(fixture.turn('stub: say one'))
    await rm(fixture.working_copy, { recursive: true })
    // Something else takes the old folder's place on the disk, so that the new one cannot be given its number.
    await mkdir(`${fixture.folder}/other`)
    await mkdir(fixture.working_copy)

    await fixture.driver.run(fixture.turn('stub: write a.md text'))

    expect(await fixture.read('a.md')).toBe('text\n')
    expect(await isRunning(fixture.processes[0]!.pid)).toBe(false)
  })

  it.each(['resume', 'load'])('goes on in another process by session/%s, without the replayed history', async (way) => {
    await using fixture = await createAcpFixture({ keep_alive: { max: 0, idle_ms: 0 } })
    const agent = stubProfile(`--sessions=${way}`)
    const first = await fixture.driver.run(fixture.turn('stub: say one', { agent }))
    const { acp_session_id } = first as Extract<typeof first, { kind: 'ended' }>

    const second = await fixture.driver.run(fixture.turn('stub: say two', { agent, acp_session_id }))

    expect(second).toMatchObject({ kind: 'ended', acp_session_id })
    expect(second).toHaveProperty('text', expect.stringContaining('Turn 2 is done'))
    expect(JSON.stringify(fixture.updates)).not.toContain('replayed')
  })

  it.each([
    ['that cannot go on', []],
    ['that forgot it', ['--sessions=resume']],
  ])('begins a new one, and says so, with an agent %s', async (_what, options) => {
    await using fixture = await createAcpFixture()
    const outcome = await fixture.driver.run(
      fixture.turn('stub: say hi', { agent: stubProfile(...options), acp_session_id: 'long-gone' }),
    )

    expect(outcome).toMatchObject({ kind: 'ended' })
    expect(fixture.updates[0]).toEqual({
      kind: 'note',
      text: 'The agent could not go on with the earlier conversation and begins a new one.',
    })
  })
})

describe('close', () => {
  it('ends agents that wait and agents that work', async () => {
    await using fixture = await createAcpFixture()
    await fixture.driver.run(fixture.turn('stub: say hi'))
    const started = Promise.withResolvers<void>()
    const working = fixture.driver.run(
      fixture.turn('stub: say started\nstub: hang', {
        session_id: 'b',
        home: `${fixture.home}-b`,
        onUpdate: () => started.resolve(),
      }),
    )
    await started.promise
    await fixture.driver.close()

    expect(await working).toEqual({ kind: 'cancelled', usage: null })
    expect(await Promise.all(fixture.processes.map(async ({ pid }) => await isRunning(pid)))).toEqual([false, false])
    expect(await fixture.driver.run(fixture.turn('stub: say hi'))).toMatchObject({ kind: 'failed' })
  })
})

describe('orphans of a hub that was killed', () => {
  const sleeper = [process.execPath, '-e', 'process.on("SIGTERM", () => {}); setInterval(() => {}, 1000)'] as const

  it('are ended, with what they forked', async () => {
    await using fixture = await createAcpFixture()
    const orphan = await startAgentProcess({ command: sleeper, cwd: fixture.folder, env: {} })

    expect(await fixture.driver.endOrphans([orphan.process])).toBe(1)
    await orphan.exited
    expect(await fixture.driver.endOrphans([orphan.process])).toBe(0)
  })

  it('are known by their start: the same number given to somebody else is left alone', async () => {
    await using fixture = await createAcpFixture()
    const stranger = spawn(sleeper[0], sleeper.slice(1), { detached: true, stdio: 'ignore' })
    await once(stranger, 'spawn')
    const pid = stranger.pid!

    expect(await fixture.driver.endOrphans([{ pid, started: 'another-boot/1/another-run' }])).toBe(0)
    expect(await isRunning(pid)).toBe(true)

    stranger.kill('SIGKILL')
    await once(stranger, 'exit')
  })

  it('are found by their mark when the leader is gone', async () => {
    await using fixture = await createAcpFixture()
    const script = `require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true, stdio: 'ignore' }).unref(); setTimeout(() => process.exit(0), 50)`
    const leader = await startAgentProcess({ command: [process.execPath, '-e', script], cwd: fixture.folder, env: {} })
    await leader.exited

    expect(await fixture.driver.endOrphans([leader.process])).toBe(1)
  })

  it('are all gone after a hub was killed in the middle of ten turns, with the children that fled', async () => {
    await using fixture = await createAcpFixture()
    const hub = spawn(process.execPath, [doomed_hub, fixture.folder, '10'], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines: string[] = []
    createInterface({ input: hub.stdout }).on('line', (line) => lines.push(line))
    await expect.poll(() => lines.filter((line) => line === 'ready').length, { timeout: 40_000 }).toBe(10)
    const processes = lines.filter((line) => line !== 'ready').map((line): AgentProcess => JSON.parse(line))
    const files = processes.flatMap((_process, i) => [`copy-${i}/child.pid`, `copy-${i}/fled.pid`])
    const children = await Promise.all(files.map(async (file) => Number(await fixture.read(`../${file}`))))
    hub.kill('SIGKILL')
    await once(hub, 'exit')

    await fixture.driver.endOrphans(processes)

    const everyone = [...processes.map(({ pid }) => pid), ...children]
    expect(everyone).toHaveLength(30)
    await expect.poll(async () => (await Promise.all(everyone.map(isRunning))).filter(Boolean)).toEqual([])
  })
})

it('a session that cannot be opened, however far it came, leaves no socket and no folder behind', async () => {
  await using fixture = await createAcpFixture()
  const TMPDIR = join(fixture.folder, 'tmp')
  await mkdir(TMPDIR)
  const few_files = ['-c', 'ulimit -n 60; exec "$@"', 'sh', process.execPath, starved_hub, fixture.folder]
  const { stdout } = await promisify(execFile)('sh', few_files, { env: { ...process.env, TMPDIR } })
  const tries = stdout
    .trim()
    .split('\n')
    .map((line): { refusal: string } => JSON.parse(line))

  // One for each socket that an agent within walls has, and then what its process needs.
  const refused = tries.map(({ refusal }) => refusal.startsWith('Error: listen EMFILE'))
  expect(refused).toEqual([true, true, true, false])
  expect(tries).toEqual(tries.map(({ refusal }) => ({ refusal, folders: [], open: 0 })))
})
