import { existsSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

import { afterEach, beforeEach, expect, it } from 'vitest'

import type { OpenWorkingCopy } from '../../src/core/ports.ts'
import { makeRepository, temporaryFolder, userGit, writeFiles } from '../git-fixture.ts'
import { commitSpec, LOGIN, SPEC, workspacesOf } from '../workspaces-fixture.ts'

// An agent that waits for its session's next turn, or what it left at work, may write while the hub does.

let folder: ReturnType<typeof temporaryFolder>
let repository: string

beforeEach(() => {
  folder = temporaryFolder()
  repository = makeRepository(join(folder.path, 'shop'))
})
afterEach(async () => folder.remove())

/** How often they were asked to go, which they do the first time. */
let asked: number
let leave: () => void

async function openShared(): Promise<OpenWorkingCopy> {
  asked = 0
  leave = () => {}
  const endAgentsIn = async () => {
    asked += 1
    if (asked === 1) leave()
    return asked === 1
  }
  const workspaces = workspacesOf(repository, join(folder.path, 'data'), endAgentsIn)
  const copy = await workspaces.open('default', LOGIN)
  await copy.reset()
  return copy
}

it('takes the files once more where they lay otherwise a moment later', async () => {
  const copy = await openShared()
  await commitSpec(copy, 'one')
  asked = 0
  writeFiles(copy.path, { [SPEC]: 'two' })
  const { changes } = await copy.look()
  const message = Promise.withResolvers<string>()
  const committing = copy.commit(message.promise, changes)
  const lock = join(copy.path, '../git/index.lock')
  await expect.poll(() => existsSync(lock)).toBe(true)
  await expect.poll(() => statSync(lock).size).toBeGreaterThan(0)
  writeFiles(copy.path, { [SPEC]: 'three' })
  leave = () => writeFiles(copy.path, { 'late.md': 'last' })
  message.resolve('two')
  const commit = await committing
  expect(userGit(join(copy.path, '../git'), 'log', '--format=%s', '-2', commit!).split('\n')[0]).toBe('two')
  expect(userGit(join(copy.path, '../git'), 'show', `${commit}:${SPEC}`)).toBe('three')
  const made = copy.asCommitted(commit)
  const { changes: taken, files } = await made.look()
  expect(taken).toEqual([
    { path: 'late.md', change: 'added' },
    { path: SPEC, change: 'modified' },
  ])
  expect(files).toEqual(['README.md', 'late.md', SPEC])
  // Whatever becomes of the files.
  writeFiles(copy.path, { [SPEC]: 'four' })
  expect(new TextDecoder().decode(await made.readFile(SPEC))).toBe('three')
})

it('asks nobody to go for text that git keeps with other line ends', async () => {
  writeFiles(repository, { '.gitattributes': '*.md text eol=crlf\n' })
  userGit(repository, 'add', '--all')
  userGit(repository, 'commit', '--quiet', '-m', 'attributes')
  const copy = await openShared()
  asked = 0
  const commit = await commitSpec(copy, 'one\r\ntwo\r\n')
  expect(asked).toBe(0)
  expect(new TextDecoder().decode(await copy.asCommitted(commit).readFile(SPEC))).toBe('one\ntwo\n')
})

it('asks nobody to go where nothing is to be put right', async () => {
  const copy = await openShared()
  asked = 0
  symlinkSync('README.md', join(copy.path, 'link.md'))
  const commit = await commitSpec(copy, 'one')
  await copy.look()
  await copy.reset()
  expect(asked).toBe(0)
  expect(commit).toMatch(/^[0-9a-f]{40}$/)
})

it.each<[string, (copy: OpenWorkingCopy, good: string) => Promise<unknown>]>([
  ['a repository within is taken as files', async (copy) => copy.look()],
  ['what was left is thrown away', async (copy) => copy.reset()],
  ['what was there is put back', async (copy, good) => copy.restore(good)],
])('has them gone before %s', async (_, work) => {
  const copy = await openShared()
  const outside = makeRepository(join(folder.path, 'outside'))
  const good = await copy.snapshot()
  makeRepository(join(copy.path, 'x'))
  asked = 0
  leave = () => {
    rmSync(join(copy.path, 'x'), { recursive: true })
    symlinkSync(outside, join(copy.path, 'x'))
  }
  await work(copy, good)
  expect(asked).toBeGreaterThan(0)
  expect(userGit(outside, 'log', '--format=%s')).toBe('first')
})
