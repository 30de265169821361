import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'

import { featureIdSchema } from '@orchestrator/contract'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import type { Workspaces } from '../../src/core/ports.ts'
import { createWorkspaces } from '../../src/workspace/workspaces.ts'
import { makeRepository, temporaryFolder, userGit, writeFiles } from '../git-fixture.ts'
import { LOCAL, LOGIN, workspacesOf } from '../workspaces-fixture.ts'

const FROM_ORIGIN = { remote: 'origin', clean_up: false }

let folder: ReturnType<typeof temporaryFolder>
let repository: string
let origin: string

beforeEach(() => {
  folder = temporaryFolder()
  repository = makeRepository(join(folder.path, 'shop'))
  origin = join(folder.path, 'origin.git')
  userGit(folder.path, 'clone', '--quiet', '--bare', repository, origin)
  userGit(repository, 'remote', 'add', 'origin', origin)
})
afterEach(async () => folder.remove())

const data_dir = () => join(folder.path, 'data')

async function work(workspaces: Workspaces, text: string, name = 'default', feature = LOGIN) {
  const copy = await workspaces.open(name, feature)
  await copy.reset()
  writeFiles(copy.path, { [`specs/${feature}/spec.md`]: text })
  const commit = await copy.commit(`work: ${text}`)
  expect(await copy.publish()).toBeNull()
  return { copy, commit }
}

describe('a repository behind a proxy', () => {
  it('is asked for by HTTPS_PROXY', async () => {
    const asked: string[] = []
    const proxy = createServer().on('connect', ({ url = '' }, socket) => {
      asked.push(url)
      socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    })
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    const { port } = proxy.address() as AddressInfo
    const workspaces = createWorkspaces({
      sources: [{ name: 'far', url: 'https://git.invalid/team/shop.git' }],
      data_dir: data_dir(),
      settings: { ...LOCAL, proxy: { https_proxy: `http://127.0.0.1:${port}`, no_proxy: '' } },
    })
    await expect(workspaces.open('far', LOGIN)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringContaining('https://git.invalid/team/shop.git could not be copied'),
    })
    proxy.close()
    expect(asked).toEqual(['git.invalid:443'])
  })
})

describe('a push', () => {
  it('brings the branch to the remote, and the working copy goes when that was asked', async () => {
    const workspaces = workspacesOf(repository, data_dir())
    const { commit, copy } = await work(workspaces, 'one')
    const pushed = { remote: 'origin', url: origin, branch: LOGIN, commit }
    expect(await workspaces.push('default', LOGIN, FROM_ORIGIN)).toEqual({ ...pushed, cleaned_up: false })
    expect(userGit(origin, 'rev-parse', LOGIN)).toBe(commit)
    expect(userGit(repository, 'rev-parse', `refs/remotes/origin/${LOGIN}`)).toBe(commit)
    expect(existsSync(copy.path)).toBe(true)
    const again = await workspaces.push('default', LOGIN, { remote: 'origin', clean_up: true })
    expect(again).toEqual({ ...pushed, cleaned_up: true })
    expect(existsSync(copy.path)).toBe(false)
    const { commit: next } = await work(workspaces, 'two')
    expect(await workspaces.push('default', LOGIN, FROM_ORIGIN)).toMatchObject({ commit: next })
  })

  it('keeps a working copy that holds what is nowhere else', async () => {
    const workspaces = workspacesOf(repository, data_dir())
    const { copy } = await work(workspaces, 'one')
    writeFiles(copy.path, { 'loose.txt': 'not committed\n' })
    expect(await workspaces.push('default', LOGIN, { remote: 'origin', clean_up: true })).toMatchObject({
      cleaned_up: false,
    })
    expect(existsSync(join(copy.path, 'loose.txt'))).toBe(true)
  })

  it('never takes anything away there, and says what to do', async () => {
    const workspaces = workspacesOf(repository, data_dir())
    await work(workspaces, 'one')
    await workspaces.push('default', LOGIN, FROM_ORIGIN)
    const other = join(folder.path, 'other')
    userGit(folder.path, 'clone', '--quiet', '--branch', LOGIN, origin, other)
    userGit(other, 'commit', '--quiet', '--allow-empty', '-m', 'theirs')
    userGit(other, 'push', '--quiet', 'origin', LOGIN)
    await work(workspaces, 'two')
    const theirs = userGit(origin, 'rev-parse', LOGIN)
    await expect(workspaces.push('default', LOGIN, FROM_ORIGIN)).rejects.toMatchObject({
      code: 'PUSH_FAILED',
      message: expect.stringContaining('has commits at'),
    })
    expect(userGit(origin, 'rev-parse', LOGIN)).toBe(theirs)
  })

  it.each([
    ['https://user:secret@example.com/x.git', 'HUB_CREDENTIAL_HELPER'],
    ['ext::sh -c "touch canary"', 'neither blanks'],
    ['https://127.0.0.1:9/x.git', 'HUB_PRIVATE_REMOTES'],
    ['/nowhere/at-all.git', 'did not take the branch'],
  ])('to %s is refused', async (url, reason) => {
    userGit(repository, 'config', 'remote.odd.url', url)
    const workspaces = workspacesOf(repository, data_dir())
    await work(workspaces, 'one')
    const refusal = await workspaces
      .push('default', LOGIN, { remote: 'odd', clean_up: false })
      .catch((error: unknown) => error)
    expect(refusal).toMatchObject({ code: 'PUSH_FAILED', message: expect.stringContaining(reason) })
    expect((refusal as Error).message).not.toContain('secret')
  })

  it('goes by no setting of the repository, and runs no hook', async () => {
    const canary = join(folder.path, 'canary')
    const hook = `#!/bin/sh\ntouch ${canary}\n`
    writeFileSync(join(repository, '.git/hooks/pre-push'), hook, { mode: 0o755 })
    userGit(repository, 'config', 'core.sshCommand', `touch ${canary}`)
    userGit(repository, 'config', 'credential.helper', `!touch ${canary}`)
    userGit(repository, 'config', `url.ext::touch ${canary}.pushInsteadOf`, origin)
    userGit(repository, 'config', 'remote.origin.receivepack', `touch ${canary}; git-receive-pack`)
    const workspaces = workspacesOf(repository, data_dir())
    const { commit } = await work(workspaces, 'one')
    await workspaces.push('default', LOGIN, FROM_ORIGIN)
    expect(userGit(origin, 'rev-parse', LOGIN)).toBe(commit)
    expect(existsSync(canary)).toBe(false)
  })

  it('names the remotes that there are, and knows only features that there are', async () => {
    const workspaces = workspacesOf(repository, data_dir())
    await work(workspaces, 'one')
    await expect(workspaces.push('default', LOGIN, { remote: 'fork', clean_up: false })).rejects.toMatchObject({
      code: 'VALIDATION_ERROR',
      message: expect.stringMatching(/no remote "fork" \(it has origin\)/),
    })
    const unknown = featureIdSchema.parse('009-nothing')
    await expect(workspaces.push('default', unknown, FROM_ORIGIN)).rejects.toMatchObject({ code: 'FEATURE_NOT_FOUND' })
  })
})

describe('a repository that lies elsewhere', () => {
  const openBoth = () =>
    createWorkspaces({
      sources: [
        { name: 'default', path: repository },
        { name: 'site', url: `file://${origin}` },
      ],
      data_dir: data_dir(),
      settings: LOCAL,
    })

  it('is copied at the first use, worked in and pushed to', async () => {
    const workspaces = openBoth()
    expect(workspaces.list()).toEqual([
      { name: 'default', location: repository, default: true },
      { name: 'site', location: `file://${origin}`, default: false },
    ])
    expect(await workspaces.describe('site')).toMatchObject({ name: 'site', default_branch: 'main', highest_number: 0 })
    const { commit } = await work(workspaces, 'one', 'site')
    expect(await workspaces.push('site', LOGIN, { remote: 'origin', clean_up: true })).toMatchObject({
      commit,
      cleaned_up: true,
    })
    expect(userGit(origin, 'show', `${LOGIN}:specs/001-login/spec.md`)).toBe('one')
  })

  it('is brought up to date before it is used again', async () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    try {
      const workspaces = openBoth()
      await workspaces.describe('site')
      userGit(repository, 'checkout', '--quiet', '-b', '007-theirs')
      writeFiles(repository, { 'specs/007-theirs/spec.md': '# Theirs\n' })
      userGit(repository, 'add', '--all')
      userGit(repository, 'commit', '--quiet', '-m', 'theirs')
      userGit(repository, 'push', '--quiet', 'origin', '007-theirs', '007-theirs:main')
      expect(await workspaces.describe('site')).toMatchObject({ highest_number: 0 })
      vi.advanceTimersByTime(31_000)
      expect(await workspaces.describe('site')).toMatchObject({ highest_number: 7 })
      const theirs = featureIdSchema.parse('007-theirs')
      expect(await workspaces.findFeature('site', theirs)).toMatchObject({ documents: ['spec.md'], spec: '# Theirs\n' })
      rmSync(origin, { recursive: true })
      vi.advanceTimersByTime(31_000)
      expect(await workspaces.describe('site')).toMatchObject({ highest_number: 7 })
    } finally {
      vi.useRealTimers()
    }
  })

  it('that cannot be reached stops nobody else', async () => {
    rmSync(origin, { recursive: true })
    const workspaces = openBoth()
    await expect(workspaces.describe('site')).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      message: expect.stringMatching(/^Workspace "site": .*could not be copied/),
    })
    expect(await workspaces.removeSettled('site', new Set())).toEqual([])
    await work(workspaces, 'one')
  })

  it('shares neither files nor numbers with another, whatever their features are called', async () => {
    const workspaces = openBoth()
    const features = ['001-login', '002-cart', '003-search'].map((id) => featureIdSchema.parse(id))
    const places = ['default', 'site'].flatMap((name) => features.map((feature) => ({ name, feature })))
    const done = await Promise.all(
      places.map(async ({ name, feature }) => {
        const { copy } = await work(workspaces, `${name} ${feature}`, name, feature)
        return { name, feature, files: (await copy.look()).files, path: copy.path }
      }),
    )
    for (const { name, feature, files } of done) {
      expect(files, `${name} ${feature}`).toEqual(['README.md', `specs/${feature}/spec.md`])
    }
    expect(new Set(done.map(({ path }) => path)).size).toBe(places.length)
    for (const feature of features) {
      expect(userGit(repository, 'show', `${feature}:specs/${feature}/spec.md`)).toBe(`default ${feature}`)
    }
    expect(await workspaces.describe('site')).toMatchObject({ highest_number: 3 })
    mkdirSync(join(repository, 'specs/040-lying'), { recursive: true })
    expect(await workspaces.describe('default')).toMatchObject({ highest_number: 40 })
    expect(await workspaces.describe('site')).toMatchObject({ highest_number: 3 })
  })
})

it('finds a feature that nobody began here', async () => {
  writeFiles(repository, { 'specs/004-old/spec.md': '# Old\n', 'specs/004-old/plan.md': '# Plan\n' })
  userGit(repository, 'add', '--all')
  userGit(repository, 'commit', '--quiet', '-m', 'old')
  const workspaces = workspacesOf(repository, data_dir())
  const old = featureIdSchema.parse('004-old')
  expect(await workspaces.findFeature('default', old)).toEqual({ documents: ['plan.md', 'spec.md'], spec: '# Old\n' })
  expect(await workspaces.findFeature('default', LOGIN)).toBeUndefined()
})
