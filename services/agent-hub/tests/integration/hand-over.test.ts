import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, unlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { OpenWorkingCopy } from '../../src/core/ports.ts'
import { makeRepository, temporaryFolder, userGit, writeFiles } from '../git-fixture.ts'
import { LOGIN, SPEC, workspacesOf } from '../workspaces-fixture.ts'

let folder: ReturnType<typeof temporaryFolder>
let repository: string

beforeEach(() => {
  folder = temporaryFolder()
  repository = makeRepository(join(folder.path, 'shop'), { 'README.md': '# Shop\n', 'src/a.js': '1\n' })
  // As most people's: a branch keeps a log of how it was moved.
  userGit(repository, 'config', 'core.logAllRefUpdates', 'true')
})
afterEach(async () => folder.remove())

async function openLogin(): Promise<OpenWorkingCopy> {
  const copy = await workspacesOf(repository, join(folder.path, 'data')).open('default', LOGIN)
  await copy.reset()
  return copy
}

/** As a phase ends: what changed is known, and the branch goes out while the commit is made. */
async function end(copy: OpenWorkingCopy, message: string): Promise<{ commit: string | null; note: string | null }> {
  const { changes } = await copy.look()
  const committing = copy.commit(message, changes)
  const [commit, note] = await Promise.all([committing, copy.publish(committing)])
  return { commit, note }
}

async function write(copy: OpenWorkingCopy, text: string) {
  writeFiles(copy.path, { [SPEC]: text })
  return end(copy, text)
}

/** A working copy whose branch the repository has, twice written. */
async function openPublished(): Promise<OpenWorkingCopy> {
  const copy = await openLogin()
  await write(copy, 'one')
  await write(copy, 'two')
  return copy
}

const moves = () => userGit(repository, 'reflog', 'show', '--format=%gs', '001-login').split('\n')
const SHORT_WAY = 'orchestrator'
const gitDirectory = (copy: OpenWorkingCopy) => join(dirname(copy.path), 'git')

describe('the next commit of a branch', () => {
  it('reaches the repository whole and by the short way, whatever it changes', async () => {
    const copy = await openPublished()
    const at = (path: string) => join(copy.path, path)
    const steps: (() => void)[] = [
      () => writeFiles(copy.path, { [SPEC]: 'three', 'specs/001-login/deep/er/plan.md': 'new folders' }),
      () => writeFiles(copy.path, { 'specs/001-login/two\nlines.md': 'a name of two lines', 'ünï code.md': 'x' }),
      () => unlinkSync(at('src/a.js')),
      () => writeFiles(copy.path, { 'src/a.js/now-a-folder.js': '2\n' }),
      () => rmSync(at('specs/001-login/deep'), { recursive: true }),
      () => writeFiles(copy.path, { 'specs/001-login/deep': 'a file now' }),
      () => chmodSync(at('README.md'), 0o755),
      () => symlinkSync('README.md', at('link.md')),
      () => writeFiles(copy.path, { [SPEC]: 'x'.repeat(300_000) }),
      // Content that was there before: git has it, and writes no new file for it.
      () => writeFiles(copy.path, { [SPEC]: 'three' }),
    ]
    const notes: (string | null)[] = []
    for (const [number, step] of steps.entries()) {
      step()
      const { commit, note } = await end(copy, `step ${number}`)
      notes.push(note)
      expect(userGit(repository, 'rev-parse', '001-login')).toBe(commit)
    }
    expect(notes).toEqual(steps.map(() => null))
    expect(moves().filter((move) => move === SHORT_WAY)).toHaveLength(steps.length + 1)
    userGit(repository, 'fsck', '--full', '--strict')
    const trees = [repository, gitDirectory(copy)].map((place) => userGit(place, 'ls-tree', '-r', '001-login'))
    expect(trees[0]).toBe(trees[1])
  })

  it('leaves the user’s checkout, index and other branches alone', async () => {
    const copy = await openPublished()
    writeFiles(repository, { 'README.md': '# Being edited', 'loose.txt': 'x' })
    const before = userGit(repository, 'status', '--porcelain=v2', '--branch')
    const index = readFileSync(join(repository, '.git/index'))
    const main = userGit(repository, 'rev-parse', 'main')
    await write(copy, 'three')
    expect(userGit(repository, 'status', '--porcelain=v2', '--branch')).toBe(before)
    expect(readFileSync(join(repository, '.git/index')).equals(index)).toBe(true)
    expect(userGit(repository, 'rev-parse', 'main')).toBe(main)
  })

  it('is whole as soon as the branch points to it, without the hub’s copy', async () => {
    const copy = await openPublished()
    await write(copy, 'three')
    rmSync(dirname(copy.path), { recursive: true })
    expect(userGit(repository, 'show', `001-login:${SPEC}`)).toBe('three')
    userGit(repository, 'fsck', '--full', '--strict')
  })

  it('is no part of the hub’s copy: what somebody does to the repository’s objects stays there', async () => {
    const copy = await openPublished()
    const { commit } = await write(copy, 'three')
    const path = `objects/${commit!.slice(0, 2)}/${commit!.slice(2)}`
    const [theirs, ours] = [join(repository, '.git'), gitDirectory(copy)].map(
      (place) => statSync(join(place, path)).ino,
    )
    expect(theirs).not.toBe(ours)
  })

  it('leaves nothing half-written behind', async () => {
    const copy = await openPublished()
    await write(copy, 'three')
    const files = readdirSync(join(repository, '.git'), { recursive: true, encoding: 'utf8' })
    expect(files.filter((file) => file.includes('tmp_obj_') || file.endsWith('.lock'))).toEqual([])
  })

  it('holds the changes that were judged, and no file that came after', async () => {
    const copy = await openPublished()
    writeFiles(copy.path, { [SPEC]: 'three' })
    const { changes } = await copy.look()
    writeFiles(copy.path, { 'late.md': 'nobody has seen it' })
    const commit = await copy.commit('three', changes)
    expect(userGit(gitDirectory(copy), 'ls-tree', '-r', '--name-only', commit!)).not.toContain('late.md')
    await copy.reset()
    expect(await copy.look()).toMatchObject({ changes: [] })
  })
})

describe('what is out of the ordinary', () => {
  it('a branch that is checked out stays where it is', async () => {
    const copy = await openPublished()
    userGit(repository, 'checkout', '--quiet', '001-login')
    expect((await write(copy, 'three')).note).toMatch(/checked out in the repository/)
    expect(userGit(repository, 'show', `HEAD:${SPEC}`)).toBe('two')
    expect(userGit(repository, 'status', '--porcelain')).toBe('')
  })

  it('so does one that is checked out in a linked worktree', async () => {
    const copy = await openPublished()
    const linked = join(folder.path, 'linked')
    userGit(repository, 'worktree', 'add', '--quiet', linked, '001-login')
    expect((await write(copy, 'three')).note).toMatch(/checked out in the repository/)
    expect(userGit(linked, 'show', `HEAD:${SPEC}`)).toBe('two')
    expect(userGit(linked, 'status', '--porcelain')).toBe('')
  })

  it('one that somebody moved in between keeps what they did', async () => {
    const copy = await openPublished()
    const theirs = userGit(repository, 'commit-tree', '-p', '001-login', '-m', 'theirs', '001-login^{tree}')
    userGit(repository, 'update-ref', 'refs/heads/001-login', theirs)
    expect((await write(copy, 'three')).note).toMatch(/has commits in the repository that the hub does not know/)
    expect(userGit(repository, 'rev-parse', '001-login')).toBe(theirs)
  })

  it('one that somebody moves in the very moment is moved by one of both', async () => {
    const copy = await openPublished()
    const theirs = userGit(repository, 'commit-tree', '-p', '001-login', '-m', 'theirs', '001-login^{tree}')
    writeFiles(copy.path, { [SPEC]: 'three' })
    const { changes } = await copy.look()
    const committing = copy.commit('three', changes)
    const publishing = copy.publish(
      committing.then((commit) => {
        userGit(repository, 'update-ref', 'refs/heads/001-login', theirs)
        return commit
      }),
    )
    expect(await publishing).toMatch(/has commits in the repository that the hub does not know/)
    expect(userGit(repository, 'rev-parse', '001-login')).toBe(theirs)
  })

  it.each<[string, (copy: OpenWorkingCopy) => void]>([
    ['branches that the user packed', () => userGit(repository, 'pack-refs', '--all')],
    ['a copy whose objects were packed', (copy) => userGit(gitDirectory(copy), 'gc', '--quiet', '--prune=now')],
    ['a branch that the user took away', () => userGit(repository, 'branch', '--quiet', '-D', '001-login')],
    ['a rebase that goes on there', () => mkdirSync(join(repository, '.git/rebase-merge'))],
    ['a detached checkout', () => userGit(repository, 'checkout', '--quiet', '--detach')],
  ])('%s: the commit arrives all the same', async (_, prepare) => {
    const copy = await openPublished()
    prepare(copy)
    const { commit, note } = await write(copy, 'three')
    expect(note).toBeNull()
    expect(userGit(repository, 'rev-parse', '001-login')).toBe(commit)
    userGit(repository, 'fsck', '--full', '--strict')
  })

  it('more objects than are worth it go as one pack', async () => {
    const copy = await openPublished()
    const many = Array.from({ length: 150 }, (_, at) => [`specs/001-login/many/${at}.md`, `text ${at}`] as const)
    writeFiles(copy.path, Object.fromEntries(many))
    const { commit } = await end(copy, 'many')
    expect(userGit(repository, 'rev-parse', '001-login')).toBe(commit)
    expect(moves()[0]).not.toBe(SHORT_WAY)
    userGit(repository, 'fsck', '--full', '--strict')
  })
})

it('a repository with SHA-256 is no other case', async () => {
  const modern = join(folder.path, 'modern')
  mkdirSync(modern)
  userGit(modern, 'init', '--quiet', '--object-format=sha256')
  userGit(modern, 'commit', '--quiet', '--allow-empty', '-m', 'first')
  userGit(modern, 'config', 'core.logAllRefUpdates', 'true')
  repository = modern
  const copy = await openPublished()
  const { commit } = await write(copy, 'three')
  expect(userGit(modern, 'rev-parse', '001-login')).toBe(commit)
  expect(moves()[0]).toBe(SHORT_WAY)
  userGit(modern, 'fsck', '--full', '--strict')
})
