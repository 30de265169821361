import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

import { afterEach, describe, expect, test } from 'vitest'

const PROGRAM = fileURLToPath(new URL('service-process.ts', import.meta.url))

interface Run {
  child: ChildProcess
  /** Everything it wrote. */
  out: { stdout: string; stderr: string }
  ended: Promise<{ code: number | null; milliseconds: number }>
}

const running = new Set<ChildProcess>()
afterEach(() => {
  for (const child of running) child.kill('SIGKILL')
})

function run(behaviour: string): Run {
  const child = spawn(process.execPath, [PROGRAM, behaviour], { stdio: ['ignore', 'pipe', 'pipe'] })
  running.add(child)
  const out = { stdout: '', stderr: '' }
  child.stdout.on('data', (chunk: Buffer) => (out.stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (out.stderr += chunk.toString()))
  const started = performance.now()
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child)
    return { code: code as number | null, milliseconds: performance.now() - started }
  })
  return { child, out, ended }
}

const isReady = async ({ out }: Run) => {
  await expect.poll(() => out.stdout).toContain('ready')
}

describe('runService', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s closes the service and exits with 0', async (signal) => {
    const service = run('works')
    await isReady(service)
    service.child.kill(signal)
    expect(await service.ended).toMatchObject({ code: 0 })
    expect(service.out).toEqual({ stdout: 'ready\nclosing\nclosed\n', stderr: '' })
  })

  test('the second and third signal of one Ctrl-C change nothing', async () => {
    const service = run('works')
    await isReady(service)
    service.child.kill('SIGINT')
    await expect.poll(() => service.out.stdout).toContain('closing')
    service.child.kill('SIGINT')
    service.child.kill('SIGTERM')
    expect(await service.ended).toMatchObject({ code: 0 })
    expect(service.out.stdout).toBe('ready\nclosing\nclosed\n')
  })

  test('a signal while it starts closes it once it has started', async () => {
    const service = run('slow-start')
    await isReady(service)
    service.child.kill('SIGTERM')
    expect(await service.ended).toMatchObject({ code: 0 })
    expect(service.out.stdout).toBe('ready\nclosing\nclosed\n')
  })

  test('a service that never closes is ended within 5 s, with 1', async () => {
    const service = run('never-closes')
    await isReady(service)
    service.child.kill('SIGTERM')
    expect(await service.ended).toMatchObject({ code: 1 })
    expect(service.out.stderr).toContain('did not close within 4.5 s')
  })

  test('a service that fails to close says so and exits with 1', async () => {
    const service = run('fails-to-close')
    await isReady(service)
    service.child.kill('SIGTERM')
    expect(await service.ended).toMatchObject({ code: 1 })
    expect(service.out.stderr).toContain('the file is gone')
  })

  test('a StartupError is one line and 1', async () => {
    const service = run('bad-setting')
    expect(await service.ended).toMatchObject({ code: 1 })
    expect(service.out).toEqual({ stdout: '', stderr: 'PORT must be a whole number, but is "abc".\n' })
  })

  test('a bug at start is told and ends with 1', async () => {
    const service = run('bug-at-start')
    expect(await service.ended).toMatchObject({ code: 1 })
    expect(service.out.stderr).toContain('The service could not start.')
  })

  test.each(['uncaught', 'unhandled'])('an error that is %s closes the service and exits with 1', async (behaviour) => {
    const service = run(behaviour)
    expect(await service.ended).toMatchObject({ code: 1 })
    expect(service.out.stdout).toContain('closed')
    expect(service.out.stderr).toMatch(/nobody (caught|awaited) this/)
  })

  test('a fault that its program has told closes the service and exits with 1', async () => {
    const service = run('fails')
    expect(await service.ended).toMatchObject({ code: 1 })
    expect(service.out).toMatchObject({ stdout: expect.stringContaining('closed') as string, stderr: '' })
  })
})
