import type { ChangedFile } from '../core/ports.ts'
import { SUBMODULE, type Entry } from './blobs.ts'
import { listGit, type GitPlace } from './git.ts'
import { readLooseCommit, readLooseTree } from './loose-objects.ts'

/** One path that a commit changed; undefined where it has, or had, no such file. */
export interface CommitChange {
  path: string
  before: Entry | undefined
  now: Entry | undefined
}

/** More folders are for git, which is asked aside. */
const FOLDERS_MAX = 100

/** What a commit changed against its parent, sorted. One that was just made is read where git laid it: a process saved. */
export async function listCommitChanges(clone: GitPlace, commit: string): Promise<CommitChange[]> {
  const changes = readLooseChanges(clone, commit) ?? (await askForChanges(clone, commit))
  return changes.sort((a, b) => (a.path < b.path ? -1 : 1))
}

/** As `look` tells it. */
export function toChangedFiles(changes: readonly CommitChange[]): ChangedFile[] {
  return changes
    .filter(({ before, now }) => isFile(before) || isFile(now))
    .map(({ path, before, now }) => ({
      path,
      change: before === undefined ? 'added' : now === undefined ? 'deleted' : 'modified',
    }))
}

const isFile = (entry: Entry | undefined) => entry !== undefined && entry.mode !== SUBMODULE

/** Undefined where something of it does not lie in a file of its own. */
function readLooseChanges(clone: GitPlace, commit: string): CommitChange[] | undefined {
  const made = readLooseCommit(clone, commit)
  const [parent] = made?.parents ?? []
  const old = parent === undefined ? undefined : readLooseCommit(clone, parent)
  if (made === undefined || (parent !== undefined && old === undefined)) return undefined
  const changes: CommitChange[] = []
  const folders: [path: string, before: string | undefined, now: string | undefined][] = [['', old?.tree, made.tree]]
  for (const [folder, before, now] of folders) {
    const was = before === undefined ? new Map<string, never>() : readLooseTree(clone, before)
    const is = now === undefined ? new Map<string, never>() : readLooseTree(clone, now)
    if (was === undefined || is === undefined || folders.length > FOLDERS_MAX) return undefined
    for (const name of new Set([...was.keys(), ...is.keys()])) {
      const [a, b] = [was.get(name), is.get(name)]
      if (a?.id === b?.id && a?.mode === b?.mode) continue
      const path = folder + Buffer.from(name, 'latin1').toString()
      if (a?.is_tree === true || b?.is_tree === true) {
        folders.push([`${path}/`, a?.is_tree === true ? a.id : undefined, b?.is_tree === true ? b.id : undefined])
      }
      const [file_before, file_now] = [a, b].map((entry) => (entry?.is_tree === true ? undefined : entry))
      if (file_before !== undefined || file_now !== undefined)
        changes.push({ path, before: file_before, now: file_now })
    }
  }
  return changes
}

/** `:MODE MODE ID ID STATUS\0PATH\0…` of git-diff-tree(1). */
async function askForChanges(clone: GitPlace, commit: string): Promise<CommitChange[]> {
  const how = ['-r', '-z', '--raw', '--no-renames', '--no-abbrev', '--no-commit-id', '--root']
  const entries = await listGit(clone, ['diff-tree', ...how, commit])
  const changes: CommitChange[] = []
  for (let at = 0; at + 1 < entries.length; at += 2) {
    const [words = '', path = ''] = entries.slice(at, at + 2)
    const [old_mode, mode, old_id, id] = words.slice(1).split(' ')
    changes.push({ path, before: toEntry(old_mode, old_id), now: toEntry(mode, id) })
  }
  return changes
}

function toEntry(mode = '000000', id = ''): Entry | undefined {
  return mode === '000000' ? undefined : { mode, id }
}
