import { join } from 'node:path'

import { findLooseRef, readQuietly, runGit, type GitPlace } from './git.ts'
import { copyLoose, readLooseCommit, readLooseTree, type TreeEntry } from './loose-objects.ts'
import type { Repository } from './repository.ts'
import { findStats } from './safe-path.ts'

/** More is for `git fetch`, which keeps many objects as one pack. */
const OBJECTS_MAX = 100

/** Something is not as it is for one more commit of ours: nothing was moved, and `git fetch` judges. */
class OutOfTheOrdinary extends Error {
  override readonly name = 'OutOfTheOrdinary'
}

/**
 * The short way for one more commit on a branch that the hub wrote last: `git fetch` starts eight processes for it, and
 * here is one, which starts while the commit is still being made. The repository has all of the commit's parent, for its
 * branch points there, and gets each object that the commit adds to it; git then moves the branch, if it still points
 * to the parent. False where anything is out of the ordinary: nothing was moved, and `git fetch` has to judge.
 */
export async function handOver(
  clone: GitPlace,
  repository: Repository,
  branch: string,
  committing: Promise<string | null>,
): Promise<boolean> {
  const parent = findLooseRef(repository, branch)
  if (parent === undefined) return false
  const order = committing.then(async (commit) => {
    if (commit === null || !isCheckedOutNowhere(repository, branch)) throw new OutOfTheOrdinary()
    await Promise.all(listAdded(clone, commit, parent).map(async (id) => copyLoose(clone, repository, id)))
    return `update ${branch} ${commit} ${parent}\n`
  })
  const place = { git_dir: repository.git_dir }
  return runGit(place, ['update-ref', '-m', 'orchestrator', '--stdin'], { input: order }).then(
    () => true,
    () => false,
  )
}

/** What git writes where a branch is in use, in the repository or in a worktree that is linked to it. */
const SIGNS_OF_USE = ['worktrees', 'rebase-merge', 'rebase-apply', 'BISECT_LOG']

function isCheckedOutNowhere({ git_dir }: Repository, branch: string): boolean {
  const head = readQuietly(join(git_dir, 'HEAD'))
  const signs = SIGNS_OF_USE.map((name) => findStats(join(git_dir, name)))
  return head !== '' && head !== `ref: ${branch}\n` && signs.every((sign) => sign === undefined)
}

/** Ids of the objects that a commit has and its parent has not. */
function listAdded(clone: GitPlace, commit: string, parent: string): string[] {
  const added = [commit]
  const walk = (tree: string, old: string | undefined) => {
    added.push(tree)
    const before = old === undefined ? new Map<string, TreeEntry>() : ordinary(readLooseTree(clone, old))
    for (const [name, { id, is_tree }] of ordinary(readLooseTree(clone, tree))) {
      const known = before.get(name)
      if (known?.id === id) continue
      if (is_tree) walk(id, known?.is_tree === true ? known.id : undefined)
      else added.push(id)
      if (added.length > OBJECTS_MAX) throw new OutOfTheOrdinary()
    }
  }
  const [made, before] = [ordinary(readLooseCommit(clone, commit)), ordinary(readLooseCommit(clone, parent))]
  if (made.parents.join() !== parent) throw new OutOfTheOrdinary()
  walk(made.tree, before.tree)
  return [...new Set(added)]
}

function ordinary<T>(found: T | undefined): T {
  if (found === undefined) throw new OutOfTheOrdinary()
  return found
}
