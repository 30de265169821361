import { randomUUID } from 'node:crypto'
import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { ChangedFile, OpenWorkingCopy, WorkingCopy } from '../core/ports.ts'
import { listTreeBlobs, readBlobs, readIndex, type Index } from './blobs.ts'
import { publishBranch, takeUpstream, type FeatureClone } from './feature-clone.ts'
import { handOver } from './hand-over.ts'
import { findGit, findLooseRef, listGit, readGit, runGit } from './git.ts'
import type { Repository } from './repository.ts'
import { readBelow, writeBelow } from './safe-path.ts'

/** Repositories within repositories that an agent may nest before we stop looking. */
const NESTING_MAX = 20

/** Git directory → the last commit, where this process has seen its index hold that. */
export type KnownIndexes = Map<string, string>

export function createWorkingCopy(
  clone: FeatureClone,
  repository: Repository,
  indexes: KnownIndexes = new Map(),
): OpenWorkingCopy {
  const branch = `refs/heads/${clone.feature_id}`
  const feature_directory = `specs/${clone.feature_id}`
  const findHead = async () => findLooseRef(clone, branch) ?? findGit(clone, ['rev-parse', '-q', '--verify', 'HEAD'])

  /** Of the last commit, which is what the index holds: no agent reaches it, so it is read once. */
  let committed: Promise<Index> | undefined
  const listCommitted = async () => (await (committed ??= readIndex(clone))).blobs

  /** What `list` tells, once no path of it is a repository of its own. */
  const withoutNested = async (list: () => Promise<string[]>, pathOf: (entry: string) => string): Promise<string[]> => {
    for (let depth = 0; ; depth++) {
      const entries = await list()
      const nested = entries.map(pathOf).filter((path) => path.endsWith('/'))
      if (nested.length === 0 || depth === NESTING_MAX) return entries
      for (const path of nested) await rm(join(clone.work_tree, path, '.git'), { recursive: true, force: true })
    }
  }

  /** A folder with a `.git` of its own would be committed as a pointer to nowhere, its files lost: take them as files. */
  const absorbNested = async () => {
    const list = async () => listGit(clone, ['ls-files', '-z', '--others', '--exclude-standard'])
    await withoutNested(list, (path) => path)
  }

  const status = async () =>
    listGit(clone, [
      // What it finds out about the files is left to the commit to write down.
      '--no-optional-locks',
      'status',
      '--porcelain=v1',
      '-z',
      '--untracked-files=all',
      '--ignore-submodules=all',
      '--no-renames',
    ])

  /** Through an index of its own that holds everything as it lies: the clone's own one stays that of the last commit. */
  const withFullIndex = async <T>(work: (env: { GIT_INDEX_FILE: string }) => Promise<T>) => {
    await absorbNested()
    const index = join(clone.git_dir, `full-${randomUUID()}.index`)
    // With what git already knows of the files, only the changed ones are read.
    await copyFile(join(clone.git_dir, 'index'), index).catch(() => {})
    try {
      const env = { GIT_INDEX_FILE: index }
      await runGit(clone, ['add', '--all'], { env })
      return await work(env)
    } finally {
      await rm(index, { force: true })
    }
  }
  const snapshot = async () => withFullIndex(async (env) => readGit(clone, ['write-tree'], { env }))

  /** What differs from the last commit, as git-status(1) words it, once nothing in it is a repository of its own. */
  const listChanges = async () => {
    const entries = await withoutNested(status, (line) => line.slice(3))
    return entries.map(parseStatus).sort((a, b) => (a.path < b.path ? -1 : 1))
  }

  /** Whether everything lies as at the last commit. Where the index is known to, the answer says what is in it. */
  const isAt = async (head: string, index: Promise<Index> | undefined) => {
    if (index !== undefined && indexes.get(clone.git_dir) === head) {
      committed = index
      return (await index).is_clean
    }
    const is_clean = (await status()).length === 0
    if (is_clean) indexes.set(clone.git_dir, head)
    return is_clean
  }

  /** Where there was nothing to commit: perhaps because it was done before. */
  const findCommitWith = async (message: string) => {
    const head = await findHead()
    if (head === undefined) return null
    const last = await readGit(clone, ['log', '-1', '--format=%B', head])
    return last.trim() === message.trim() ? head : null
  }

  const files: WorkingCopy = {
    path: clone.work_tree,
    feature_directory,

    async look() {
      const [before, changes] = await Promise.all([listCommitted(), listChanges()])
      const files = new Set(before.keys())
      for (const { path, change } of changes) {
        if (change === 'deleted') files.delete(path)
        else if (!path.endsWith('/')) files.add(path)
      }
      return { changes, files: [...files].sort() }
    },

    readFile: async (path) => readBelow(clone.work_tree, path),

    readCommitted: async (paths) => readBlobs(clone, await listCommitted(), paths),
  }

  return {
    ...files,

    // A moment later: what was asked for before is on its way then.
    lookAhead: () => void setImmediate(() => void listCommitted().catch(() => {})),

    async reset(agreed) {
      committed = undefined
      const index = indexes.has(clone.git_dir) ? readIndex(clone) : undefined
      index?.catch(() => {})
      await agreed
      await takeUpstream(clone, repository)
      const head = await findHead()
      if (head === undefined) await runGit(clone, ['read-tree', '--empty'])
      else if (await isAt(head, index)) return
      else await runGit(clone, ['reset', '--quiet', '--hard'])
      await runGit(clone, ['clean', '--quiet', '-ffd'])
      if (head !== undefined) indexes.set(clone.git_dir, head)
    },

    writeFile: async (path, text) => writeBelow(clone.work_tree, path, text),

    snapshot,

    since: (before) => ({
      ...files,
      look: async () => {
        const changes = await diffTrees(clone, before, await snapshot())
        return { changes, files: (await files.look()).files }
      },
      readCommitted: async (paths) => readBlobs(clone, await listTreeBlobs(clone, before), paths),
    }),

    async restore(before) {
      // By git, which follows no link that somebody may have put in the place of a folder.
      await withFullIndex(async (env) => runGit(clone, ['read-tree', '--reset', '-u', before], { env }))
    },

    async commit(message, known) {
      const changes = known ?? (await listChanges())
      if (changes.length === 0) return findCommitWith(await message)
      indexes.delete(clone.git_dir)
      // `--all` is all that git knows already.
      if (changes.some(({ change }) => change === 'added')) await runGit(clone, ['add', '--all'])
      const how = ['--quiet', '--no-verify', '--no-status', '--cleanup=verbatim', '-F', '-']
      // git takes the files and waits for the message; without one it makes no commit.
      await runGit(clone, ['commit', '--all', ...how], { input: message })
      committed = undefined
      const head = (await findHead()) ?? null
      if (head !== null) indexes.set(clone.git_dir, head)
      return head
    },

    // Ends after the commit, whatever becomes of it.
    async publish(commit) {
      if (commit !== undefined && (await handOver(clone, repository, branch, commit))) return null
      await commit
      return (await findHead()) === undefined ? null : publishBranch(clone, repository)
    },
  }
}

/** `XY path` of git-status(1); the index is always that of the last commit when we ask. */
function parseStatus(line: string): ChangedFile {
  const code = line.slice(0, 2)
  const path = line.slice(3)
  if (code.includes('D')) return { path, change: 'deleted' }
  return { path, change: code === '??' || code.includes('A') ? 'added' : 'modified' }
}

/** `STATUS\0path\0…` of git-diff-tree(1). */
async function diffTrees(clone: FeatureClone, before: string, after: string): Promise<ChangedFile[]> {
  const entries = await listGit(clone, ['diff-tree', '-r', '-z', '--name-status', '--no-renames', before, after])
  const changes: ChangedFile[] = []
  for (let at = 0; at + 1 < entries.length; at += 2) {
    const [status, path = ''] = entries.slice(at, at + 2)
    changes.push({ path, change: status === 'D' ? 'deleted' : status === 'A' ? 'added' : 'modified' })
  }
  return changes
}
