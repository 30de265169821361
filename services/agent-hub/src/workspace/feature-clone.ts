import { createHash, randomUUID } from 'node:crypto'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

import { ServiceError, type FeatureId } from '@orchestrator/contract'

import { featureNumber } from './feature-numbers.ts'
import { findGit, findLooseRef, GitError, readGit, runGit, type GitPlace } from './git.ts'
import { findBranch, getDefaultBranch, type Repository } from './repository.ts'
import { findStats } from './safe-path.ts'

/**
 * A feature's own clone: `git` and `tree` side by side. The git directory lies outside the folder that the agent may
 * write, so that no hook, filter or setting can be planted in it; a `.git` that an agent makes in its tree is just
 * another thing that git never looks at. Nothing is shared with the user's repository, not even objects.
 */
export interface FeatureClone extends Required<GitPlace> {
  readonly feature_id: FeatureId
}

/** Of this repository only: the same data folder may serve another one tomorrow. */
export function clonesFolder(data_dir: string, name: string, repository: Repository): string {
  const key = createHash('sha256').update(repository.git_dir).digest('hex').slice(0, 12)
  return join(data_dir, 'workspaces', `${name}-${key}`)
}

export async function listClones(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => featureNumber(name) !== undefined)
}

export async function findClone(folder: string, feature_id: FeatureId): Promise<FeatureClone | undefined> {
  const git_dir = join(folder, feature_id, 'git')
  if (findStats(git_dir) === undefined) return undefined
  // Left by a git that was killed; whoever opens a working copy is its only user.
  const locks = ['index.lock', 'HEAD.lock', 'config.lock', `refs/heads/${feature_id}.lock`]
  for (const lock of locks) {
    const path = join(git_dir, lock)
    if (findStats(path) !== undefined) await rm(path, { force: true })
  }
  return { feature_id, git_dir, work_tree: join(folder, feature_id, 'tree') }
}

const HALF = '.new-'

/** On the feature's branch when the repository has it, else on a new one that begins at the default branch. */
export async function makeClone(folder: string, repository: Repository, feature_id: FeatureId): Promise<FeatureClone> {
  // Half of one, from a hub that was killed. Clones are made one after the other, so none of these is at work.
  const halves = (await readdir(folder)).filter((name) => name.startsWith(HALF))
  for (const name of halves) await rm(join(folder, name), { recursive: true, force: true })
  const fresh = join(folder, `${HALF}${randomUUID()}`)
  const place = { git_dir: join(fresh, 'git'), work_tree: join(fresh, 'tree') }
  try {
    await mkdir(place.work_tree, { recursive: true })
    await runGit({ cwd: fresh }, [
      'init',
      '--quiet',
      '--bare',
      `--object-format=${repository.object_format}`,
      `--initial-branch=${feature_id}`,
      place.git_dir,
    ])
    const default_branch = await getDefaultBranch(repository)
    const existing = (await findBranch(repository, feature_id)) !== undefined
    const base = existing ? feature_id : default_branch
    if (existing || (await findBranch(repository, default_branch)) !== undefined) {
      await fetchBranch(place, repository.git_dir, `+refs/heads/${base}:refs/heads/${feature_id}`)
      await runGit(place, ['reset', '--quiet', '--hard'])
    }
    await rename(fresh, join(folder, feature_id))
  } catch (error) {
    await rm(fresh, { recursive: true, force: true })
    throw error
  }
  return { feature_id, git_dir: join(folder, feature_id, 'git'), work_tree: join(folder, feature_id, 'tree') }
}

/** Out of the way first, so that a crash leaves no half of one under the feature's name. */
export async function removeClone(folder: string, clone: FeatureClone): Promise<void> {
  const aside = join(folder, `${HALF}${randomUUID()}`)
  await rename(join(folder, clone.feature_id), aside)
  await rm(aside, { recursive: true, force: true })
}

/** `into` takes the refs from the repository at `from`. */
async function fetchBranch(into: GitPlace, from: string, refspec: string): Promise<void> {
  await runGit({ git_dir: into.git_dir }, [
    'fetch',
    '--no-progress',
    '--no-tags',
    '--no-prune',
    '--no-write-fetch-head',
    '--no-auto-maintenance',
    '--no-recurse-submodules',
    '--end-of-options',
    from,
    refspec,
  ])
}

const UPSTREAM = 'refs/hub/upstream'

/**
 * Takes in what people committed on the feature's branch in the repository. Nothing of either side is given up: where
 * both went on, a person has to join them.
 */
export async function takeUpstream(clone: FeatureClone, repository: Repository): Promise<void> {
  const branch = `refs/heads/${clone.feature_id}`
  const known = findLooseRef(repository, branch)
  if (known !== undefined && known === findLooseRef(clone, branch)) return
  if (known === undefined && (await findBranch(repository, clone.feature_id)) === undefined) return
  await fetchBranch(clone, repository.git_dir, `+refs/heads/${clone.feature_id}:${UPSTREAM}`)
  const ours = await findGit(clone, ['rev-parse', '-q', '--verify', 'HEAD'])
  const theirs = await readGit(clone, ['rev-parse', UPSTREAM])
  if (ours === theirs || (ours !== undefined && (await isAncestor(clone, theirs, ours)))) return
  if (ours !== undefined && !(await isAncestor(clone, ours, theirs))) {
    throw new ServiceError(
      'VALIDATION_ERROR',
      `Branch ${clone.feature_id} went on both in the repository and in the hub’s copy. In the repository run ` +
        `git pull --no-rebase ${clone.git_dir} ${clone.feature_id} on that branch, then try again.`,
    )
  }
  await runGit(clone, ['update-ref', `refs/heads/${clone.feature_id}`, theirs])
}

async function isAncestor(place: GitPlace, older: string, newer: string): Promise<boolean> {
  return (await findGit(place, ['merge-base', '--is-ancestor', older, newer])) !== undefined
}

/**
 * Brings the feature's branch back into the repository. Answers a sentence when git refused to move it: it is checked
 * out there, or has commits of its own. The work is safe in the clone then, and is brought back with the next commit.
 */
export async function publishBranch(clone: FeatureClone, repository: Repository): Promise<string | null> {
  const ref = `refs/heads/${clone.feature_id}`
  try {
    await fetchBranch(repository, clone.git_dir, `${ref}:${ref}`)
    return null
  } catch (error) {
    if (!(error instanceof GitError)) throw error
    const command = `git pull --ff-only ${clone.git_dir} ${clone.feature_id}`
    if (/refusing to fetch into/.test(error.stderr)) {
      return `Branch ${clone.feature_id} is checked out in the repository, so it was left where it is. To take the new commit, run there: ${command}`
    }
    if (/non-fast-forward|rejected/.test(error.stderr)) {
      return `Branch ${clone.feature_id} has commits in the repository that the hub does not know, so it was left where it is. To join both, run there: ${command.replace('--ff-only', '--no-rebase')}`
    }
    return `Branch ${clone.feature_id} could not be brought into the repository (${error.message}). The commit is safe in ${clone.git_dir}`
  }
}
