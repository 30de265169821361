import { randomUUID } from 'node:crypto'
import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { ChangedFile, OpenWorkingCopy, WorkingCopy } from '../core/ports.ts'
import { publishBranch, takeUpstream, type FeatureClone } from './feature-clone.ts'
import { findGit, findLooseRef, listGit, readGit, runGit } from './git.ts'
import type { Repository } from './repository.ts'
import { FILE_BYTES_MAX, readBelow, writeBelow } from './safe-path.ts'

/** Repositories within repositories that an agent may nest before we stop looking. */
const NESTING_MAX = 20

/** The mode by which git keeps a pointer to another repository. */
const SUBMODULE = '160000 '

export function createWorkingCopy(clone: FeatureClone, repository: Repository): OpenWorkingCopy {
  const branch = `refs/heads/${clone.feature_id}`
  const feature_directory = `specs/${clone.feature_id}`
  const findHead = async () =>
    (await findLooseRef(clone, branch)) ?? findGit(clone, ['rev-parse', '-q', '--verify', 'HEAD'])

  /** git looks at the files itself: to ask the system for each of them from here takes longer than all the rest. */
  const listPresent = async (...within: string[]) => {
    const [tracked, differing] = await Promise.all([
      listGit(clone, ['ls-files', '-z', '--stage', '--', ...within]),
      listGit(clone, ['ls-files', '-z', '-t', '--others', '--deleted', '--exclude-standard', '--', ...within]),
    ])
    const files = tracked
      .filter((entry) => !entry.startsWith(SUBMODULE))
      .map((entry) => entry.slice(entry.indexOf('\t') + 1))
    const marked = (tag: string) => differing.filter((entry) => entry.startsWith(tag)).map((entry) => entry.slice(2))
    const fresh = marked('? ').filter((path) => !path.endsWith('/'))
    return [...new Set([...files, ...fresh]).difference(new Set(marked('R ')))].sort()
  }

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
  const listStatus = async () => withoutNested(status, (line) => line.slice(3))

  const files: WorkingCopy = {
    path: clone.work_tree,
    feature_directory,

    async listChanges() {
      return (await listStatus()).map(parseStatus).sort((a, b) => (a.path < b.path ? -1 : 1))
    },

    readFile: async (path) => readBelow(clone.work_tree, path),

    async readCommitted(paths) {
      const head = await findHead()
      return head === undefined ? new Map() : readBlobs(clone, head, paths)
    },

    listFeatureFiles: async () => listPresent(feature_directory),

    listFiles: async () => listPresent(),
  }

  return {
    ...files,

    async reset() {
      await takeUpstream(clone, repository)
      const head = await findHead()
      if (head === undefined) await runGit(clone, ['read-tree', '--empty'])
      else if ((await status()).length === 0) return
      else await runGit(clone, ['reset', '--quiet', '--hard'])
      await runGit(clone, ['clean', '--quiet', '-ffd'])
    },

    writeFile: async (path, text) => writeBelow(clone.work_tree, path, text),

    snapshot,

    since: (before) => ({
      ...files,
      listChanges: async () => diffTrees(clone, before, await snapshot()),
      readCommitted: async (paths) => readBlobs(clone, before, paths),
    }),

    async restore(before) {
      // By git, which follows no link that somebody may have put in the place of a folder.
      await withFullIndex(async (env) => runGit(clone, ['read-tree', '--reset', '-u', before], { env }))
    },

    async commit(message) {
      const changes = await listStatus()
      if (changes.length === 0) {
        const head = await findHead()
        if (head === undefined) return null
        const last = await readGit(clone, ['log', '-1', '--format=%B', head])
        return last.trim() === message.trim() ? head : null
      }
      await runGit(clone, ['add', '--all'])
      await runGit(clone, ['commit', '--quiet', '--no-verify', '--no-status', '--cleanup=verbatim', '-F', '-'], {
        input: message,
      })
      return (await findHead()) ?? null
    },

    publish: async () => ((await findHead()) === undefined ? null : publishBranch(clone, repository)),
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

/** Files of a tree, in one question; those that it does not have, and those that are too large, are left out. */
async function readBlobs(
  clone: FeatureClone,
  tree: string,
  paths: readonly string[],
): Promise<Map<string, Uint8Array>> {
  // A line feed would end the question: such a name is asked for by the id of its content.
  const names = await Promise.all(
    paths.map(async (path) => (path.includes('\n') ? await findBlob(clone, tree, path) : `${tree}:${path}`)),
  )
  const wanted = paths.flatMap((path, at) => (names[at] === undefined ? [] : [{ path, name: names[at] }]))
  const found = new Map<string, Uint8Array>()
  if (wanted.length === 0) return found
  const told = await runGit(clone, ['cat-file', '--batch'], { input: wanted.map(({ name }) => `${name}\n`).join('') })
  let at = 0
  for (const { path } of wanted) {
    const end = told.indexOf(0x0a, at)
    const [, type, size] = /^[0-9a-f]+ (\w+) (\d+)$/.exec(told.subarray(at, end).toString()) ?? []
    at = end + 1
    // `NAME missing`, and nothing behind it.
    if (size === undefined) continue
    if (type === 'blob' && Number(size) <= FILE_BYTES_MAX) found.set(path, told.subarray(at, at + Number(size)))
    at += Number(size) + 1
  }
  return found
}

async function findBlob(clone: FeatureClone, tree: string, path: string): Promise<string | undefined> {
  const [entry] = await listGit(clone, ['ls-tree', '-z', tree, '--', path])
  return /^\d+ blob ([0-9a-f]+)\t/.exec(entry ?? '')?.[1]
}
