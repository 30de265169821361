import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { afterEach, beforeEach, expect, it } from 'vitest'

import type { GitEnd, GitOrder } from '../../src/workspace/git-process.ts'
import { startGit, warmGitStarter } from '../../src/workspace/git-starter.ts'
import { isRunning } from '../acp-fixture.ts'
import { makeRepository, temporaryFolder } from '../git-fixture.ts'

let folder: ReturnType<typeof temporaryFolder>
const order = (...args: string[]): GitOrder => ({ args, cwd: folder.path, env: { PATH: process.env['PATH'] } })

beforeEach(() => {
  folder = temporaryFolder()
  makeRepository(folder.path)
})
afterEach(async () => folder.remove())

/** By the starter and nobody else, once it is there. */
async function run(args: string[], input: Promise<string> = Promise.resolve('')): Promise<GitEnd> {
  warmGitStarter()
  let ended: Promise<GitEnd> | undefined
  await expect.poll(() => (ended ??= startGit(order(...args), input)) !== undefined).toBe(true)
  return ended!
}
const text = ({ stdout }: GitEnd) => Buffer.from(stdout).toString()

it('starts git and tells how it ended', async () => {
  expect(text(await run(['log', '-1', '--format=%s']))).toBe('first\n')
  expect(await run(['rev-parse', '--verify', 'nowhere'])).toMatchObject({
    exit_code: 128,
    stderr: expect.stringContaining('fatal:'),
  })
})

it('has git wait for an input that comes late, and ends it when none comes', async () => {
  const input = Promise.withResolvers<string>()
  const [late, meanwhile] = [run(['hash-object', '--stdin'], input.promise), await run(['--version'])]
  expect(meanwhile.exit_code).toBe(0)
  input.resolve('text\n')
  expect(text(await late)).toBe('8e27be7d6154a1f68ea9160ef0e18691d20560dc\n')
  const none = run(['hash-object', '--stdin'], Promise.reject(new Error('no text')))
  expect(await none).toMatchObject({ exit_code: null, stdout: Buffer.from('') })
})

it('passes on bytes as they are, many at once', async () => {
  const texts = Array.from({ length: 20 }, (_, at) => `${String.fromCharCode(0, at)}ü`.repeat(50_000))
  const ids = await Promise.all(
    texts.map(async (each) => text(await run(['hash-object', '-w', '--stdin'], Promise.resolve(each)))),
  )
  const read = await Promise.all(ids.map(async (id) => text(await run(['cat-file', 'blob', id.trim()]))))
  expect(read).toEqual(texts)
})

const PROGRAM = `
  const { startGit, warmGitStarter } = await import(process.argv[1])
  warmGitStarter()
  const order = { args: ['hash-object', '--stdin'], cwd: process.argv[2], env: { PATH: process.env.PATH } }
  const never = new Promise(() => {})
  const look = setInterval(async () => {
    const ended = startGit(order, never)
    if (ended === undefined) return
    clearInterval(look)
    const { readFileSync } = await import('node:fs')
    console.log(readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8').trim())
    await ended.catch((error) => console.log(error.message))
    console.log(startGit(order, never) === undefined)
    process.exit()
  }, 20)
`

async function startProgram() {
  const starter = fileURLToPath(new URL('../../src/workspace/git-starter.ts', import.meta.url))
  const child = spawn(process.execPath, ['--input-type=module', '-e', PROGRAM, starter, folder.path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  return { child, line: async () => String((await lines.next()).value), pid: Number((await lines.next()).value) }
}

it('goes when the hub is killed', async () => {
  const { child, pid } = await startProgram()
  expect(await isRunning(pid)).toBe(true)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await expect.poll(async () => isRunning(pid)).toBe(false)
})

it('is missed when it dies: what waits fails, what comes next is started by the hub itself', async () => {
  const { child, pid, line } = await startProgram()
  const exited = once(child, 'exit')
  process.kill(pid, 'SIGKILL')
  expect(await line()).toBe('The process that starts git has ended.')
  expect(await line()).toBe('true')
  await exited
})
