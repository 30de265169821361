import { createHash, randomUUID } from 'node:crypto'
import { mkdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { featureNumber } from './feature-numbers.ts'
import { findGit, GitError, readGit, runGit } from './git.ts'
import { parseRemote, remoteOptions, shown, type RemoteSettings } from './remote-url.ts'
import { findBranch, getDefaultBranch, openRepository, type Repository } from './repository.ts'
import { findStats } from './safe-path.ts'
import { WorkspaceError } from './workspace-error.ts'

/** How long what was fetched counts as fresh. */
const FRESH_MS = 30_000

/** A repository that lies elsewhere, and the hub's copy of it: bare, with the same branches. */
export interface Mirror {
  /** Made at the first call, brought up to date later. Throws a WorkspaceError while there is none yet. */
  open(): Promise<Repository>
  /** As it is here, without a look at the other side; undefined while there is none. */
  peek(): Promise<Repository | undefined>
}

export function createMirror(o: { name: string; url: string; data_dir: string; settings: RemoteSettings }): Mirror {
  const key = createHash('sha256').update(o.url).digest('hex').slice(0, 12)
  const path = join(o.data_dir, 'repositories', `${o.name}-${key}.git`)
  let fetched_at = Number.NEGATIVE_INFINITY
  let opening: Promise<Repository> | undefined

  const open = async (): Promise<Repository> => {
    if (findStats(path) === undefined) {
      await copyRepository(o, path)
      fetched_at = performance.now()
    }
    const repository = await openRepository(path)
    if (performance.now() - fetched_at < FRESH_MS) return repository
    try {
      await refresh(o, repository)
      fetched_at = performance.now()
    } catch (error) {
      // What is known already serves while the other side cannot be reached.
      if (!(error instanceof GitError) && !(error instanceof WorkspaceError)) throw error
    }
    return repository
  }
  return {
    open: async () => (opening ??= open().finally(() => (opening = undefined))),
    peek: async () => (findStats(path) === undefined ? undefined : openRepository(path)),
  }
}

type Source = { url: string; settings: RemoteSettings }

async function copyRepository({ url, settings }: Source, path: string): Promise<void> {
  const remote = parseRemote(url)
  const fresh = join(dirname(path), `.new-${randomUUID()}`)
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  try {
    await runGit(
      { cwd: dirname(path) },
      [
        'clone',
        '--quiet',
        '--bare',
        '--no-tags',
        '--no-hardlinks',
        '--template=',
        '--end-of-options',
        remote.url,
        fresh,
      ],
      await remoteOptions(remote, settings),
    )
    await rename(fresh, path)
  } catch (error) {
    await rm(fresh, { recursive: true, force: true })
    if (!(error instanceof GitError)) throw error
    throw new WorkspaceError(`${shown(url)} could not be copied: ${error.message}.`, { cause: error })
  }
}

/**
 * Takes over what others pushed: the default branch as it is there now, and of features what goes on from what is here.
 * Where both sides went on, ours stays, and pushing it tells.
 */
async function refresh({ url, settings }: Source, repository: Repository): Promise<void> {
  const remote = parseRemote(url)
  await runGit(
    { git_dir: repository.git_dir },
    [
      'fetch',
      '--quiet',
      '--prune',
      '--no-tags',
      '--no-write-fetch-head',
      '--no-auto-maintenance',
      '--no-recurse-submodules',
      '--end-of-options',
      remote.url,
      '+refs/heads/*:refs/remotes/origin/*',
    ],
    await remoteOptions(remote, settings),
  )
  const default_branch = await getDefaultBranch(repository)
  const refs = await readGit(repository, ['for-each-ref', '--format=%(objectname) %(refname)', 'refs/remotes/origin'])
  for (const line of refs.split('\n').filter(Boolean)) {
    const [theirs = '', ref = ''] = line.split(' ')
    const name = ref.replace('refs/remotes/origin/', '')
    if (name !== default_branch && featureNumber(name) === undefined) continue
    const ours = await findBranch(repository, name)
    if (ours === theirs) continue
    const goes_on =
      ours === undefined ||
      name === default_branch ||
      (await findGit(repository, ['merge-base', '--is-ancestor', ours, theirs])) !== undefined
    if (goes_on) await runGit(repository, ['update-ref', `refs/heads/${name}`, theirs])
  }
}
