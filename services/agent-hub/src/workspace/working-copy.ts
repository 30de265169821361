import { randomUUID } from 'node:crypto'
import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { ChangedFile, OpenWorkingCopy, WorkingCopy } from '../core/ports.ts'
import { publishBranch, takeUpstream, type FeatureClone } from './feature-clone.ts'
import { findGit, findLooseRef, listGit, readGit, runGit } from './git.ts'
import type { Repository } from './repository.ts'
import { FILE_BYTES_MAX, findStats, readBelow, writeBelow } from './safe-path.ts'

/** Repositories within repositories that an agent may nest before we stop looking. */
const NESTING_MAX = 20

export function createWorkingCopy(clone: FeatureClone, repository: Repository): OpenWorkingCopy {
  const branch = `refs/heads/${clone.feature_id}`
  const feature_directory = `specs/${clone.feature_id}`
  const findHead = async () =>
    (await findLooseRef(clone, branch)) ?? findGit(clone, ['rev-parse', '-q', '--verify', 'HEAD'])

  const listPresent = async (...within: string[]) => {
    const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...within] as const
    const paths = [...new Set(await listGit(clone, [...args]))].filter((path) => !path.endsWith('/'))
    const stats = await Promise.all(paths.map((path) => findStats(join(clone.work_tree, path))))
    return paths.filter((_, index) => stats[index]?.isDirectory() === false).sort()
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

  const readFrom = async (tree: string, path: string) => {
    // A line feed would end the question to `cat-file`.
    if (!path.includes('\n')) return readBlob(clone, `${tree}:${path}`)
    const [entry] = await listGit(clone, ['ls-tree', '-z', '--long', tree, '--', path])
    const found = /^\d+ blob ([0-9a-f]+) +(\d+)\t/.exec(entry ?? '')
    if (found?.[1] === undefined || Number(found[2]) > FILE_BYTES_MAX) return undefined
    return runGit(clone, ['cat-file', 'blob', found[1]])
  }

  /** Whether the index holds what the last commit holds; before the first one, whether it holds nothing. */
  const isUnchanged = async (head: string | undefined) =>
    head === undefined
      ? (await listGit(clone, ['ls-files', '-z'])).length === 0
      : (await findGit(clone, ['diff-index', '--cached', '--quiet', head, '--'])) !== undefined

  const files: WorkingCopy = {
    path: clone.work_tree,
    feature_directory,

    async listChanges() {
      const lines = await withoutNested(status, (line) => line.slice(3))
      return lines.map(parseStatus).sort((a, b) => (a.path < b.path ? -1 : 1))
    },

    readFile: async (path) => readBelow(clone.work_tree, path),

    async readCommitted(path) {
      const head = await findHead()
      return head === undefined ? undefined : readFrom(head, path)
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
      readCommitted: async (path) => readFrom(before, path),
    }),

    async restore(before) {
      // By git, which follows no link that somebody may have put in the place of a folder.
      await withFullIndex(async (env) => runGit(clone, ['read-tree', '--reset', '-u', before], { env }))
    },

    async commit(message) {
      await absorbNested()
      await runGit(clone, ['add', '--all'])
      const head = await findHead()
      if (await isUnchanged(head)) {
        if (head === undefined) return null
        const last = await readGit(clone, ['log', '-1', '--format=%B', head])
        return last.trim() === message.trim() ? head : null
      }
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

/** One file of a tree, in one question; undefined where there is none, or it is too large. */
async function readBlob(clone: FeatureClone, name: string): Promise<Uint8Array | undefined> {
  const told = await runGit(clone, ['cat-file', '--batch'], { input: `${name}\n` })
  const end = told.indexOf(0x0a)
  const size = Number(/^[0-9a-f]+ blob (\d+)$/.exec(told.subarray(0, end).toString())?.[1] ?? Number.NaN)
  if (!(size <= FILE_BYTES_MAX)) return undefined
  return told.subarray(end + 1, end + 1 + size)
}
