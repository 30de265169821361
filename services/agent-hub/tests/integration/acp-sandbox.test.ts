import { spawn } from 'node:child_process'
import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { DOOR_PORTS } from '../../src/acp/door.ts'
import { probeSandbox } from '../../src/acp/sandbox.ts'
import type { TurnTraffic } from '../../src/core/ports.ts'
import {
  createAcpFixture,
  isRunning,
  limits,
  listCommandLines,
  walledProfile as walled,
  type AcpFixture,
} from '../acp-fixture.ts'

const doomed_hub = fileURLToPath(new URL('../acp-doomed-hub.ts', import.meta.url))
const sandbox = await probeSandbox({ setting: 'auto', env: process.env })
const bubblewrap = sandbox.kind === 'bubblewrap' ? sandbox.program : '/usr/bin/bwrap'

const walledProfile = (network: 'none' | 'machine' = 'none') => walled(bubblewrap, network)

describe.skipIf(sandbox.kind !== 'bubblewrap')('the sandbox (needs: apt-get install bubblewrap)', () => {
  let fixture: AcpFixture

  beforeEach(async () => {
    fixture = await createAcpFixture({ keep_alive: { max: 0, idle_ms: 0 } })
    await writeFile(join(fixture.folder, 'secret.txt'), 'canary')
  })

  afterEach(async () => {
    await fixture[Symbol.asyncDispose]()
  })

  const run = async (prompt: string) => await fixture.driver.run(fixture.turn(prompt, { agent: walledProfile() }))

  it('lets the agent work in the working copy and in its HOME', async () => {
    const outcome = await run('stub: write specs/a.md text\nstub: outside ../home/notes.md text')

    expect(outcome).toMatchObject({ kind: 'ended' })
    expect(await fixture.read('specs/a.md')).toBe('text\n')
    expect(await fixture.read('../home/notes.md')).toBe('text')
  })

  it('hides what lies beside the working copy, and keeps what is written there from coming out', async () => {
    await run(`stub: outside ${fixture.folder}/planted.txt x\nstub: outside /tmp/planted-by-stub.txt x`)
    const outcome = await run(`stub: cat ${fixture.folder}/secret.txt\nstub: list ${fixture.folder}`)

    expect(outcome).toHaveProperty('text', expect.stringContaining('secret.txt: ENOENT'))
    expect(await readdir(fixture.folder)).not.toContain('planted.txt')
    expect(await readdir('/tmp')).not.toContain('planted-by-stub.txt')
  })

  it('leads no link out', async () => {
    await symlink(join(fixture.folder, 'secret.txt'), join(fixture.working_copy, 'link'))
    const outcome = await run('stub: cat link\nstub: outside link/../planted x')

    expect(JSON.stringify([outcome, fixture.updates])).not.toContain('canary')
  })

  it('writes nothing of the machine', async () => {
    const outcome = await run('stub: outside /usr/planted x')

    expect(outcome).toHaveProperty('reason', expect.stringContaining('EROFS'))
  })

  it('shows neither the homes, nor the run-time folders, nor the sockets of the machine', async () => {
    const path = join(fixture.folder, 'host.sock')
    const server = createServer().listen(path)
    const outcome = await run(
      `stub: list /\nstub: connect ${path}\nstub: connect /var/run/docker.sock\nstub: cat /etc/shadow`,
    )
    server.close()

    const text = (outcome as Extract<typeof outcome, { kind: 'ended' }>).text
    expect(text).toContain('host.sock: ENOENT')
    expect(text).toContain('docker.sock: ENOENT')
    expect(text).toContain('shadow: ENOENT')
    expect(text).toMatch(/^\/: .*\busr\b/m)
    expect(text).not.toMatch(/^\/: .*\b(root|home|var|run|srv|mnt|boot)\b/m)
  })

  it('sees no process but its own', async () => {
    const outcome = await run('stub: pids')

    // bubblewrap as the first process, the program that opens its doors, and the agent.
    expect(outcome).toHaveProperty('text', expect.stringContaining('processes: 3\n'))
  })

  it('reaches nothing of the network, and what it tries is an event each', async () => {
    const outcome = await run(
      'stub: reach 192.0.2.1\nstub: reach 2001:db8::1\nstub: fetch https://a.example/x\nstub: fetch http://b.example:81/\nstub: fetch https://a.example/y',
    )

    expect(outcome).toHaveProperty('text', expect.stringContaining('192.0.2.1: ENETUNREACH'))
    expect(outcome).toHaveProperty('text', expect.stringContaining('http://b.example:81/: 403'))
    expect(fixture.updates.filter(({ kind }) => kind === 'permission').map(({ text }) => text)).toEqual([
      'Refused: the network address a.example:443 (the sandbox has no network)',
      'Refused: the network address b.example:81 (the sandbox has no network)',
      'Refused: 2 attempts to reach the network directly (the sandbox has no network)',
    ])
  })

  it('tells how often it reached out, and with which words its model refused', async () => {
    const model = createHttpServer((_incoming, outgoing) =>
      outgoing.writeHead(404).end('{"error":{"message":"model: x is not known"}}'),
    ).listen(0, '127.0.0.1')
    await once(model, 'listening')
    const { port } = model.address() as AddressInfo
    const walled = walledProfile()
    const sandbox = { ...walled.sandbox!, model: { upstream: `http://127.0.0.1:${port}`, headers: {} } }
    const told: TurnTraffic[] = []
    const ask = `stub: fetch http://127.0.0.1:${DOOR_PORTS.model}/v1`
    await using asking = await createAcpFixture()
    const outcome = await asking.driver.run(
      asking.turn(`${ask}\n${ask}\nstub: reach 192.0.2.1`, {
        agent: { ...walled, sandbox },
        onTraffic: (traffic) => told.push(traffic),
      }),
    )
    model.close()

    expect(outcome).toMatchObject({ kind: 'ended', model_refusal: 'Its model refused with 404: model: x is not known' })
    expect(told).toEqual([{ model_requests: 2, model_refusals: 2, network_refusals: 1 }])
    expect(asking.updates.filter(({ text }) => text?.startsWith('Its model'))).toHaveLength(1)
  })

  it('counts the attempts of each turn by itself', async () => {
    await using kept = await createAcpFixture()
    for (const prompt of ['stub: reach 192.0.2.1', 'stub: say nothing', 'stub: reach 192.0.2.1']) {
      await kept.driver.run(kept.turn(prompt, { agent: walledProfile() }))
    }

    expect(kept.updates.filter(({ kind }) => kind === 'permission').map(({ text }) => text)).toEqual([
      'Refused: an attempt to reach the network directly (the sandbox has no network)',
      'Refused: an attempt to reach the network directly (the sandbox has no network)',
    ])
  })

  it('has the network of the machine where somebody said so', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const outcome = await fixture.driver.run(fixture.turn(`stub: connect ${port}`, { agent: walledProfile('machine') }))
    server.close()

    expect(outcome).toHaveProperty('text', expect.stringContaining(`${port}: connected`))
  })

  it('grants commands, because it holds them', async () => {
    expect(await run('stub: ask execute x.sh')).toHaveProperty('text', expect.stringContaining('granted'))
  })

  it('takes every child with it, the fled ones too', async () => {
    const turn = fixture.turn('stub: fork a.pid\nstub: flee b.pid\nstub: say ready\nstub: deaf', {
      agent: walledProfile(),
      limits: { ...limits, turn_ms: 3_000, cancel_grace_ms: 100 },
    })
    const outcome = await fixture.driver.run(turn)

    expect(outcome).toMatchObject({ kind: 'failed', timeout: true })
    expect(await isRunning(fixture.processes[0]!.pid)).toBe(false)
    expect(await fixture.driver.endOrphans(fixture.processes)).toBe(0)
  })

  it('takes those with it that hide, after a cancel', async () => {
    const name = `hidden-${crypto.randomUUID()}`
    const cancel = new AbortController()
    const turn = fixture.turn(`stub: vanish ${name}\nstub: vanish ${name}\nstub: say ready\nstub: deaf`, {
      agent: walledProfile(),
      signal: cancel.signal,
      limits: { ...limits, cancel_grace_ms: 100 },
    })
    const running = fixture.driver.run(turn)
    await expect.poll(async () => listCommandLines(name), { timeout: 30_000 }).toHaveLength(2)
    cancel.abort()

    expect(await running).toEqual({ kind: 'cancelled', usage: null })
    expect(await listCommandLines(name)).toEqual([])
  })

  it('takes those with it that hide, when the hub is killed', async () => {
    const name = `hidden-${crypto.randomUUID()}`
    const hub = spawn(process.execPath, [doomed_hub, fixture.folder, '3', name, bubblewrap], {
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    await expect.poll(async () => listCommandLines(name), { timeout: 30_000 }).toHaveLength(3)
    hub.kill('SIGKILL')
    await once(hub, 'exit')

    // By the system, before another hub is there.
    await expect.poll(async () => listCommandLines(name), { timeout: 30_000 }).toEqual([])
  })
})

describe('the probe', () => {
  it('says what is missing and what to do about it', async () => {
    await using fixture = await createAcpFixture()
    const empty = join(fixture.folder, 'bin')
    await mkdir(empty)

    expect(await probeSandbox({ setting: 'auto', env: { PATH: empty } })).toEqual({
      kind: 'missing',
      reason: expect.stringMatching(/apt-get install bubblewrap.*HUB_SANDBOX=off/),
    })
    expect(await probeSandbox({ setting: 'off', env: {} })).toEqual({ kind: 'off' })
  })

  it('tries what it would use: a bubblewrap that fails is none', async () => {
    await using fixture = await createAcpFixture()
    const { folder } = fixture
    await writeFile(join(folder, 'bwrap'), '#!/bin/sh\necho "No permissions to create new namespace" >&2\nexit 1\n', {
      mode: 0o755,
    })

    expect(await probeSandbox({ setting: 'auto', env: { PATH: folder } })).toEqual({
      kind: 'missing',
      reason: expect.stringContaining('does not work here: No permissions to create new namespace'),
    })
  })
})
