import type { FeatureClone } from './feature-clone.ts'
import { findGit, listGit, readGit } from './git.ts'
import { findBranch, getDefaultBranch, type Repository } from './repository.ts'
import { createWorkingCopy } from './working-copy.ts'

/**
 * Whether nothing would be lost with this clone: its last commit is part of the repository's default branch, or of a
 * branch of the feature's name that was pushed to a remote, and nothing lies in it that is not committed. A branch that
 * only the repository itself has may still be deleted by a person: then the clone is the last copy.
 */
export async function isSettled(clone: FeatureClone, repository: Repository): Promise<boolean> {
  const head = await findGit(clone, ['rev-parse', '-q', '--verify', 'HEAD'])
  if (head === undefined) return false
  if ((await createWorkingCopy(clone, repository).look()).changes.length > 0) return false
  if ((await listGit(clone, ['ls-files', '-z', '--unmerged'])).length > 0) return false
  // A commit that the repository does not have is in none of its branches, and git would call it an error.
  const known = await findGit(repository, ['rev-parse', '-q', '--verify', '--end-of-options', `${head}^{commit}`])
  if (known === undefined) return false
  for (const commit of await listKeepers(repository, clone.feature_id)) {
    if ((await findGit(repository, ['merge-base', '--is-ancestor', head, commit])) !== undefined) return true
  }
  return false
}

async function listKeepers(repository: Repository, feature_id: string): Promise<string[]> {
  const merged = await findBranch(repository, await getDefaultBranch(repository))
  const pushed = await readGit(repository, ['for-each-ref', '--format=%(objectname)', `refs/remotes/*/${feature_id}`])
  return [...(merged === undefined ? [] : [merged]), ...pushed.split('\n').filter(Boolean)]
}
