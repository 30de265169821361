import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'

import { featureIdSchema } from '@orchestrator/contract'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import type { OpenWorkingCopy } from '../../src/core/ports.ts'
import { ensureDemoRepository } from '../../src/workspace/demo-repository.ts'
import { openRepository } from '../../src/workspace/repository.ts'
import { makeRepository, temporaryFolder, userGit, writeFiles } from '../git-fixture.ts'
import { commitSpec, LOGIN, SPEC, workspacesOf } from '../workspaces-fixture.ts'

let folder: ReturnType<typeof temporaryFolder>
let repository: string

beforeEach(() => {
  folder = temporaryFolder()
  repository = makeRepository(join(folder.path, 'shop'))
})
afterEach(async () => folder.remove())

async function openWorkspaces(path = repository) {
  return workspacesOf(path, join(folder.path, 'data'))
}

async function openLogin(): Promise<OpenWorkingCopy> {
  const copy = await (await openWorkspaces()).open('default', LOGIN)
  await copy.reset()
  return copy
}

async function read(copy: OpenWorkingCopy, path: string, from: 'now' | 'committed' = 'now'): Promise<string> {
  const bytes = await (from === 'now'
    ? copy.readFile(path)
    : copy.readCommitted([path]).then((found) => found.get(path)))
  return new TextDecoder().decode(bytes)
}

describe('a working copy', () => {
  it('brings its commit into the repository as the feature’s branch', async () => {
    const copy = await openLogin()
    const commit = await commitSpec(copy, '# Login')
    expect(await copy.publish()).toBeNull()
    expect(userGit(repository, 'rev-parse', '001-login')).toBe(commit)
    expect(userGit(repository, 'show', '001-login:specs/001-login/spec.md')).toBe('# Login')
    expect(userGit(repository, 'log', '-1', '--format=%an <%ae>', '001-login')).toBe(
      'Orchestrator <orchestrator@localhost>',
    )
  })

  it('leaves checkout, index and HEAD of the user as they are', async () => {
    writeFiles(repository, { 'README.md': '# Shop, changed\n', 'staged.txt': 'staged\n', 'loose.txt': 'loose\n' })
    userGit(repository, 'add', 'staged.txt')
    const before = userGit(repository, 'status', '--porcelain=v2', '--branch')
    const index = readFileSync(join(repository, '.git/index'))
    const copy = await openLogin()
    await commitSpec(copy, '# Login')
    await copy.publish()
    expect(userGit(repository, 'status', '--porcelain=v2', '--branch')).toBe(before)
    expect(readFileSync(join(repository, '.git/index')).equals(index)).toBe(true)
    expect(existsSync(join(copy.path, 'loose.txt'))).toBe(false)
  })

  it('does not move a branch that the user has checked out, and says how to take the commit', async () => {
    const copy = await openLogin()
    await commitSpec(copy, 'one')
    await copy.publish()
    userGit(repository, 'checkout', '--quiet', '001-login')
    const second = await commitSpec(copy, 'two')
    const note = await copy.publish()
    expect(note).toMatch(/checked out in the repository/)
    expect(userGit(repository, 'show', 'HEAD:specs/001-login/spec.md')).toBe('one')
    userGit(repository, ...note!.split('run there: git ')[1]!.split(' '))
    expect(userGit(repository, 'rev-parse', 'HEAD')).toBe(second)
  })

  it('takes in what people committed on the branch', async () => {
    const copy = await openLogin()
    await commitSpec(copy, 'one')
    await copy.publish()
    userGit(repository, 'checkout', '--quiet', '001-login')
    writeFiles(repository, { 'specs/001-login/spec.md': 'by hand' })
    userGit(repository, 'commit', '--quiet', '-am', 'by hand')
    const again = await openLogin()
    expect(await read(again, 'specs/001-login/spec.md')).toBe('by hand')
  })

  it('gives up nothing where both sides went on', async () => {
    const copy = await openLogin()
    await commitSpec(copy, 'one')
    await copy.publish()
    userGit(repository, 'checkout', '--quiet', '001-login')
    writeFiles(repository, { 'other.md': 'by hand' })
    userGit(repository, 'add', 'other.md')
    userGit(repository, 'commit', '--quiet', '-m', 'by hand')
    userGit(repository, 'checkout', '--quiet', 'main')
    const ours = await commitSpec(copy, 'two')
    expect(await copy.publish()).toMatch(/has commits in the repository that the hub does not know/)
    await expect(copy.reset()).rejects.toThrow(/went on both in the repository and in the hub’s copy/)
    expect(userGit(repository, 'log', '-1', '--format=%s', '001-login')).toBe('by hand')
    expect(await copy.commit('nothing new')).toBeNull()
    expect(ours).toMatch(/^[0-9a-f]{40}$/)
  })

  it('tells changes against the last commit', async () => {
    const copy = await openLogin()
    writeFiles(copy.path, { 'README.md': 'changed', 'specs/001-login/a b.md': 'new', 'ünï.md': 'new' })
    expect((await copy.look()).changes).toEqual([
      { path: 'README.md', change: 'modified' },
      { path: 'specs/001-login/a b.md', change: 'added' },
      { path: 'ünï.md', change: 'added' },
    ])
    rmSync(join(copy.path, 'README.md'))
    expect((await copy.look()).changes).toContainEqual({ path: 'README.md', change: 'deleted' })
    expect(await read(copy, 'README.md', 'committed')).toBe('# Shop\n')
    expect((await copy.look()).files).toEqual(['specs/001-login/a b.md', 'ünï.md'])
    await copy.reset()
    expect(await copy.look()).toEqual({ changes: [], files: ['README.md'] })
  })

  it.each<[string, (path: (name: string) => string) => void]>([
    ['nothing', () => {}],
    ['other content of the same length', (path) => writeFileSync(path(SPEC), '# LOGIN')],
    ['a file less', (path) => rmSync(path('README.md'))],
    ['a file more', (path) => writeFileSync(path('more.md'), 'x')],
    ['a repository within', (path) => void makeRepository(path('nested'))],
    ['a folder in the place of a file', (path) => (rmSync(path(SPEC)), writeFiles(path(SPEC), { 'a.md': 'x' }))],
    ['a link in the place of a file', (path) => (rmSync(path(SPEC)), symlinkSync('/etc/passwd', path(SPEC)))],
    ['another right to run', (path) => chmodSync(path('README.md'), 0o755)],
  ])('begins again at the last commit after %s', async (_, leave) => {
    const workspaces = await openWorkspaces()
    const open = async () => {
      const copy = await workspaces.open('default', LOGIN)
      await copy.reset()
      return copy
    }
    await commitSpec(await open(), '# Login')
    // Once as a copy whose index is known from the commit, once as one that was reset.
    for (let time = 0; time < 2; time++) {
      const copy = await open()
      leave((name) => join(copy.path, name))
      const again = await open()
      expect(await again.look()).toEqual({ changes: [], files: ['README.md', SPEC] })
      expect(await read(again, SPEC)).toBe('# Login')
      expect(statSync(join(copy.path, 'README.md')).mode & 0o111).toBe(0)
    }
  })

  it('reads many committed files at once, whatever they are called', async () => {
    const copy = await openLogin()
    const texts = { 'a b.md': 'spaces', 'two\nlines.md': 'line feed', 'empty.md': '', 'ünï.md': 'umlauts\n' }
    writeFiles(copy.path, texts)
    await copy.commit('many')
    const found = await copy.readCommitted(['nowhere.md', ...Object.keys(texts), 'specs', 'README.md'])
    const told = [...found].map(([path, bytes]) => [path, new TextDecoder().decode(bytes)])
    expect(Object.fromEntries(told)).toEqual({ ...texts, 'README.md': '# Shop\n' })
  })

  it('commits nothing twice, and answers a commit that was made with the same message', async () => {
    const copy = await openLogin()
    const commit = await commitSpec(copy, 'one')
    expect(await copy.commit('specify phase_1 attempt 1 for 001-login: one')).toBe(commit)
    expect(await copy.commit('another message')).toBeNull()
  })

  it('is committed once its message has come, and not at all when none comes', async () => {
    const copy = await openLogin()
    const first = await commitSpec(copy, 'one')
    writeFiles(copy.path, { [SPEC]: 'two' })
    const { changes } = await copy.look()
    const git_dir = join(copy.path, '../git')
    const lock = join(git_dir, 'index.lock')
    const head = () => userGit(git_dir, 'rev-parse', '001-login')

    const message = Promise.withResolvers<string>()
    const committing = copy.commit(message.promise, changes)
    committing.catch(() => {})
    await expect.poll(() => existsSync(lock)).toBe(true)
    expect(head()).toBe(first)
    message.reject(new Error('there is none'))
    await expect(committing).rejects.toThrow('there is none')
    expect(existsSync(lock)).toBe(false)
    // As when the hub is killed: git reads the end of its input.
    await expect(copy.commit('', changes)).rejects.toThrow(/empty commit message/)
    expect(head()).toBe(first)

    expect((await copy.look()).changes).toEqual([{ path: SPEC, change: 'modified' }])
    expect(await copy.commit('two')).toBe(head())
    expect(userGit(git_dir, 'show', `001-login:${SPEC}`)).toBe('two')
  })

  it('follows links of a commit only within it', async () => {
    const copy = await openLogin()
    const folder = join(copy.path, dirname(SPEC))
    writeFiles(copy.path, { [SPEC]: 'one', 'README.md': 'two' })
    for (const [name, target] of [
      ['within.md', 'spec.md'],
      ['above.md', '../../README.md'],
      ['out.md', '/etc/passwd'],
      ['loop.md', 'loop.md'],
    ] as const) {
      symlinkSync(target, join(folder, name))
    }
    const made = copy.asCommitted(await copy.commit('links'))
    const read = async (name: string) => new TextDecoder().decode(await made.readFile(`${dirname(SPEC)}/${name}`))
    expect([await read('within.md'), await read('above.md')]).toEqual(['one', 'two'])
    await expect(read('out.md')).rejects.toThrow(/leads out of the working copy/)
    await expect(read('loop.md')).rejects.toThrow(/leads out of the working copy/)
    expect(await made.readFile('nothing.md')).toBeUndefined()
  })

  it('takes a commit back, the first one too', async () => {
    const empty = join(folder.path, 'empty')
    userGit(folder.path, 'init', '--quiet', '--initial-branch=main', empty)
    const copy = await workspacesOf(empty, join(folder.path, 'data')).open('default', LOGIN)
    await copy.reset()
    await copy.discard(await commitSpec(copy, 'one'))
    expect(await copy.look()).toEqual({ changes: [], files: [] })
    const kept = await commitSpec(copy, 'two')
    await copy.discard(await commitSpec(copy, 'three'))
    expect(userGit(join(copy.path, '../git'), 'rev-parse', '001-login')).toBe(kept)
    expect(await read(copy, SPEC)).toBe('two')
  })

  it('begins again only once that is agreed', async () => {
    const copy = await openLogin()
    await commitSpec(copy, 'one')
    writeFiles(copy.path, { [SPEC]: 'half', 'more.md': 'x' })
    const agreed = Promise.withResolvers<void>()
    const [refused, waiting] = [copy.reset(Promise.reject(new Error('not agreed'))), copy.reset(agreed.promise)]
    await expect(refused).rejects.toThrow('not agreed')
    expect(await read(copy, SPEC)).toBe('half')
    expect(await read(copy, 'more.md')).toBe('x')
    agreed.resolve()
    await waiting
    expect((await copy.look()).changes).toEqual([])
    expect(await read(copy, SPEC)).toBe('one')
  })

  it('leaves ignored files out', async () => {
    writeFiles(repository, { '.gitignore': '.env\n' })
    userGit(repository, 'add', '--all')
    userGit(repository, 'commit', '--quiet', '-m', 'ignore')
    const copy = await openLogin()
    writeFiles(copy.path, { '.env': 'SECRET=1', 'specs/001-login/spec.md': 'x' })
    await copy.commit('x')
    await copy.publish()
    expect(userGit(repository, 'ls-tree', '-r', '--name-only', '001-login').split('\n')).toEqual([
      '.gitignore',
      'README.md',
      'specs/001-login/spec.md',
    ])
  })

  it('refuses to read links that lead out, and odd paths', async () => {
    const copy = await openLogin()
    symlinkSync('/etc/passwd', join(copy.path, 'out.md'))
    symlinkSync('/etc', join(copy.path, 'etc'))
    symlinkSync('README.md', join(copy.path, 'in.md'))
    await expect(copy.readFile('out.md')).rejects.toThrow(/leads out of the working copy/)
    await expect(copy.readFile('etc/passwd')).rejects.toThrow(/leads out of the working copy/)
    await expect(copy.readFile('../git/HEAD')).rejects.toThrow(/not a path within/)
    await expect(copy.readFile('/etc/passwd')).rejects.toThrow(/not a path within/)
    expect(await read(copy, 'in.md')).toBe('# Shop\n')
    expect(await copy.readFile('none.md')).toBeUndefined()
    expect(await copy.readFile('specs')).toBeUndefined()
  })

  it('runs nothing that an agent planted', async () => {
    const copy = await openLogin()
    const canary = join(folder.path, 'canary')
    const script = `#!/bin/sh\necho ran >> ${canary}\n`
    mkdirSync(join(copy.path, '.git/hooks'), { recursive: true })
    for (const hook of ['pre-commit', 'post-checkout', 'reference-transaction', 'post-index-change']) {
      writeFileSync(join(copy.path, '.git/hooks', hook), script, { mode: 0o755 })
      writeFileSync(join(repository, '.git/hooks', hook), script, { mode: 0o755 })
    }
    writeFileSync(join(copy.path, 'run.sh'), script, { mode: 0o755 })
    const config = `[core]\n\tfsmonitor = ${copy.path}/run.sh\n\tpager = ${copy.path}/run.sh\n[filter "x"]\n\tclean = ${copy.path}/run.sh\n\tsmudge = ${copy.path}/run.sh\n`
    writeFileSync(join(copy.path, '.git/config'), `[core]\n\trepositoryformatversion = 0\n${config}`)
    writeFiles(copy.path, {
      '.gitattributes': '* filter=x\n',
      'specs/001-login/spec.md': 'x',
      '.git/HEAD': 'ref: refs/heads/evil\n',
    })
    await copy.look()
    expect(await copy.commit('x')).toMatch(/^[0-9a-f]{40}$/)
    expect(await copy.publish()).toBeNull()
    await copy.reset()
    expect(existsSync(canary)).toBe(false)
    expect(userGit(repository, 'ls-tree', '-r', '--name-only', '001-login')).not.toContain('.git/')
  })

  it('commits a nested repository as plain files', async () => {
    const copy = await openLogin()
    makeRepository(join(copy.path, 'lib/nested'), { 'code.js': '1\n' })
    expect((await copy.look()).changes).toEqual([{ path: 'lib/nested/code.js', change: 'added' }])
    await copy.commit('x')
    expect((await copy.look()).files).toContain('lib/nested/code.js')
    expect(await read(copy, 'lib/nested/code.js', 'committed')).toBe('1\n')
  })

  it('goes on after a git that was killed in the middle', async () => {
    const copy = await openLogin()
    writeFileSync(join(dirname(copy.path), 'git/index.lock'), '')
    const again = await openLogin()
    expect(await commitSpec(again, 'one')).toMatch(/^[0-9a-f]{40}$/)
  })
})

describe('a workspace', () => {
  it('counts numbers of folders, branches, remotes and clones, and not dates', async () => {
    const workspaces = await openWorkspaces()
    expect(await workspaces.describe('default')).toEqual({
      name: 'default',
      path: repository,
      default_branch: 'main',
      highest_number: 0,
    })
    writeFiles(repository, { 'specs/004-committed/spec.md': 'x' })
    userGit(repository, 'add', '--all')
    userGit(repository, 'commit', '--quiet', '-m', 'spec')
    userGit(repository, 'branch', '20260101-120000-dated')
    expect((await workspaces.describe('default')).highest_number).toBe(4)
    writeFiles(repository, { 'specs/006-lying/spec.md': 'x' })
    expect((await workspaces.describe('default')).highest_number).toBe(6)
    userGit(repository, 'branch', '0012-branch')
    expect((await workspaces.describe('default')).highest_number).toBe(12)
    userGit(repository, 'update-ref', 'refs/remotes/origin/020-remote', 'HEAD')
    expect((await workspaces.describe('default')).highest_number).toBe(20)
    await workspaces.open('default', featureIdSchema.parse('031-cloned'))
    expect((await workspaces.describe('default')).highest_number).toBe(31)
  })

  it('refuses a number that another feature has, and names a free one', async () => {
    userGit(repository, 'branch', '001-logout')
    const workspaces = await openWorkspaces()
    await expect(workspaces.open('default', LOGIN)).rejects.toThrow(
      'Feature number 001 is already taken by 001-logout in the repository. Create the feature again under a free number, such as 002-login.',
    )
    await expect(workspaces.open('default', featureIdSchema.parse('001-logout'))).resolves.toBeDefined()
  })

  it('lets only one of two features have a number when both come at once', async () => {
    const workspaces = await openWorkspaces()
    const both = [LOGIN, featureIdSchema.parse('001-logout')].map(async (id) => workspaces.open('default', id))
    const settled = await Promise.allSettled(both)
    expect(settled.map((result) => result.status).toSorted()).toEqual(['fulfilled', 'rejected'])
  })

  it('begins a feature at the default branch, also while another feature is checked out', async () => {
    userGit(repository, 'checkout', '--quiet', '-b', '005-other')
    writeFiles(repository, { 'other.txt': 'x' })
    userGit(repository, 'add', '--all')
    userGit(repository, 'commit', '--quiet', '-m', 'other')
    const copy = await openLogin()
    expect((await copy.look()).files).toEqual(['README.md'])
  })

  it('works in a repository without commits', async () => {
    const empty = join(folder.path, 'empty')
    mkdirSync(empty)
    userGit(empty, 'init', '--quiet', '--initial-branch=main')
    const workspaces = await openWorkspaces(empty)
    expect(await workspaces.describe('default')).toMatchObject({ default_branch: 'main', highest_number: 0 })
    const copy = await workspaces.open('default', LOGIN)
    await copy.reset()
    expect(await copy.publish()).toBeNull()
    writeFiles(copy.path, { 'specs/001-login/spec.md': 'x' })
    expect((await copy.look()).changes).toEqual([{ path: 'specs/001-login/spec.md', change: 'added' }])
    expect([...(await copy.readCommitted(['specs/001-login/spec.md'])).keys()]).toEqual([])
    const commit = await copy.commit('x')
    expect(await copy.publish()).toBeNull()
    expect(userGit(empty, 'rev-parse', '001-login')).toBe(commit)
  })

  it('works on a bare repository, on a linked worktree and with SHA-256', async () => {
    const bare = join(folder.path, 'bare.git')
    userGit(folder.path, 'clone', '--quiet', '--bare', repository, bare)
    const linked = join(folder.path, 'linked')
    userGit(repository, 'worktree', 'add', '--quiet', linked, '-b', 'side')
    const modern = join(folder.path, 'modern')
    mkdirSync(modern)
    userGit(modern, 'init', '--quiet', '--object-format=sha256')
    for (const path of [bare, linked, modern]) {
      const copy = await (await openWorkspaces(path)).open('default', LOGIN)
      await copy.reset()
      const commit = await commitSpec(copy, '# Login')
      expect(await copy.publish()).toBeNull()
      expect(userGit(path, 'rev-parse', '001-login')).toBe(commit)
    }
  })

  it('clears away the half of a clone that a killed hub left', async () => {
    const copy = await openLogin()
    const clones = dirname(dirname(copy.path))
    mkdirSync(join(clones, '.new-half/tree'), { recursive: true })
    await (await openWorkspaces()).open('default', featureIdSchema.parse('002-next'))
    expect(readdirSync(clones).sort()).toEqual(['001-login', '002-next'])
  })

  it('refuses a repository that ignores the feature’s folder', async () => {
    writeFiles(repository, { '.gitignore': 'specs/\n' })
    userGit(repository, 'add', '--all')
    userGit(repository, 'commit', '--quiet', '-m', 'ignore')
    await expect((await openWorkspaces()).open('default', LOGIN)).rejects.toThrow(/take specs\/ out of it/)
  })

  it('knows no other name', async () => {
    const workspaces = await openWorkspaces()
    await expect(workspaces.describe('other')).rejects.toMatchObject({ code: 'WORKSPACE_NOT_FOUND' })
    await expect(workspaces.open('other', LOGIN)).rejects.toMatchObject({ code: 'WORKSPACE_NOT_FOUND' })
  })

  it.each([
    ['nothing', 'none', /is not a folder/],
    ['a folder without a repository', 'shop/..', /not the top of a git repository/],
    ['a folder within a repository', 'shop/sub', /not the top of a git repository/],
  ])('refuses %s', async (_, path, reason) => {
    mkdirSync(join(repository, 'sub'))
    await expect(openRepository(join(folder.path, path))).rejects.toThrow(reason)
  })

  it('makes the demo repository once', async () => {
    const demo = join(folder.path, 'nested/demo')
    await ensureDemoRepository(demo)
    const head = userGit(demo, 'rev-parse', 'HEAD')
    await ensureDemoRepository(demo)
    expect(userGit(demo, 'rev-parse', 'main')).toBe(head)
    expect(userGit(demo, 'status', '--porcelain')).toBe('')
    expect(readFileSync(join(demo, 'README.md'), 'utf8')).toContain('Demo workspace')
  })
})
