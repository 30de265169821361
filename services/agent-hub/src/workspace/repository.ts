import { readdir, realpath, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'

import { featureNumber } from './feature-numbers.ts'
import { findGit, GitError, listGit, readGit } from './git.ts'
import { WorkspaceError } from './workspace-error.ts'

/** The user's repository. The hub reads it and moves feature branches in it; checkout, index and HEAD are the user's. */
export interface Repository {
  /** Absolute, links resolved. */
  readonly path: string
  /** The one that all linked worktrees share. */
  readonly git_dir: string
  readonly object_format: string
}

/** Throws a WorkspaceError unless `path` is the top of a git repository (bare ones and linked worktrees included). */
export async function openRepository(path: string, whose = 'WORKSPACE'): Promise<Repository> {
  const real = await realpath(path).catch(() => undefined)
  if (real === undefined || !(await stat(real)).isDirectory()) {
    throw new WorkspaceError(`${whose} names ${path}, which is not a folder: name a git repository.`)
  }
  const ask = async (...args: [string, ...string[]]) =>
    readGit({ cwd: real }, args, { env: { GIT_CEILING_DIRECTORIES: dirname(real) } })
  try {
    const git_dir = await ask('rev-parse', '--path-format=absolute', '--git-common-dir')
    return { path: real, git_dir, object_format: await ask('rev-parse', '--show-object-format') }
  } catch (error) {
    if (error instanceof GitError) {
      throw new WorkspaceError(
        `${whose} names ${path}, which is not the top of a git repository: name one, or run git init there.`,
        { cause: error },
      )
    }
    throw error
  }
}

/**
 * Where new features begin: what the remote calls its default, else the branch that is checked out unless that is a
 * feature's own, else main or master. It may have no commit yet.
 */
export async function getDefaultBranch(repository: Repository): Promise<string> {
  const remote = await findGit(repository, ['symbolic-ref', '-q', '--short', 'refs/remotes/origin/HEAD'])
  const head = await findGit(repository, ['symbolic-ref', '-q', '--short', 'HEAD'])
  const named = [remote?.replace(/^origin\//, ''), head]
  const candidates = [
    ...named.filter((name) => name !== undefined && featureNumber(name) === undefined),
    'main',
    'master',
  ]
  for (const name of candidates) {
    if (name !== undefined && (await findBranch(repository, name)) !== undefined) return name
  }
  return head ?? 'main'
}

/** The branch's last commit. */
export async function findBranch(repository: Repository, name: string): Promise<string | undefined> {
  return findGit(repository, ['rev-parse', '-q', '--verify', '--end-of-options', `refs/heads/${name}^{commit}`])
}

/** Names that may hold a feature number: branches, also of remotes, and folders in `specs/`, committed or not. */
export async function listFeatureNames(repository: Repository): Promise<string[]> {
  const branches = await readGit(repository, ['for-each-ref', '--format=%(refname)', 'refs/heads', 'refs/remotes'])
  const names = branches.split('\n').map((ref) => ref.replace(/^refs\/(heads\/|remotes\/[^/]+\/)/, ''))
  const default_branch = await getDefaultBranch(repository)
  const commit = await findBranch(repository, default_branch)
  const committed =
    commit === undefined ? [] : await listGit(repository, ['ls-tree', '-z', '--name-only', commit, 'specs/'])
  const lying = await readdir(join(repository.path, 'specs')).catch(() => [])
  return [...names, ...committed.map((path) => path.replace(/^specs\//, '')), ...lying].filter(
    (name) => featureNumber(name) !== undefined,
  )
}
