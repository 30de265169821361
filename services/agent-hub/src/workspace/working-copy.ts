import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { ChangedFile, OpenWorkingCopy } from '../core/ports.ts'
import { publishBranch, takeUpstream, type FeatureClone } from './feature-clone.ts'
import { findGit, listGit, readGit, runGit } from './git.ts'
import type { Repository } from './repository.ts'
import { FILE_BYTES_MAX, findStats, readBelow } from './safe-path.ts'

/** Repositories within repositories that an agent may nest before we stop looking. */
const NESTING_MAX = 20

export function createWorkingCopy(clone: FeatureClone, repository: Repository): OpenWorkingCopy {
  const branch = `refs/heads/${clone.feature_id}`
  const feature_directory = `specs/${clone.feature_id}`
  const findHead = async () => findGit(clone, ['rev-parse', '-q', '--verify', 'HEAD'])

  const listPresent = async (...within: string[]) => {
    const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard', '--', ...within] as const
    const paths = [...new Set(await listGit(clone, [...args]))].filter((path) => !path.endsWith('/'))
    const stats = await Promise.all(paths.map((path) => findStats(join(clone.work_tree, path))))
    return paths.filter((_, index) => stats[index]?.isDirectory() === false).sort()
  }

  /** A folder with a `.git` of its own would be committed as a pointer to nowhere, its files lost: take them as files. */
  const absorbNested = async () => {
    for (let depth = 0; depth < NESTING_MAX; depth++) {
      const others = await listGit(clone, ['ls-files', '-z', '--others', '--exclude-standard'])
      const nested = others.filter((path) => path.endsWith('/'))
      if (nested.length === 0) return
      for (const path of nested) await rm(join(clone.work_tree, path, '.git'), { recursive: true, force: true })
    }
  }

  return {
    path: clone.work_tree,
    feature_directory,

    async reset() {
      await takeUpstream(clone, repository)
      if ((await findHead()) === undefined) await runGit(clone, ['read-tree', '--empty'])
      else await runGit(clone, ['reset', '--quiet', '--hard'])
      await runGit(clone, ['clean', '--quiet', '-ffd'])
    },

    async listChanges() {
      await absorbNested()
      const lines = await listGit(clone, [
        'status',
        '--porcelain=v1',
        '-z',
        '--untracked-files=all',
        '--ignore-submodules=all',
        '--no-renames',
      ])
      return lines.map(parseStatus).sort((a, b) => (a.path < b.path ? -1 : 1))
    },

    readFile: async (path) => readBelow(clone.work_tree, path),

    async readCommitted(path) {
      const head = await findHead()
      if (head === undefined) return undefined
      const [entry] = await listGit(clone, ['ls-tree', '-z', '--long', head, '--', path])
      const found = /^\d+ blob ([0-9a-f]+) +(\d+)\t/.exec(entry ?? '')
      if (found?.[1] === undefined || Number(found[2]) > FILE_BYTES_MAX) return undefined
      return runGit(clone, ['cat-file', 'blob', found[1]])
    },

    listFeatureFiles: async () => listPresent(feature_directory),

    listFiles: async () => listPresent(),

    async commit(message) {
      await absorbNested()
      await runGit(clone, ['add', '--all'])
      const tree = await readGit(clone, ['write-tree'])
      const head = await findHead()
      if (head !== undefined && tree === (await readGit(clone, ['rev-parse', `${head}^{tree}`]))) {
        const last = await readGit(clone, ['log', '-1', '--format=%B', head])
        return last.trim() === message.trim() ? head : null
      }
      if (head === undefined && (await listGit(clone, ['ls-files', '-z'])).length === 0) return null
      const parents = head === undefined ? [] : ['-p', head]
      const commit = await readGit(clone, ['commit-tree', ...parents, '-F', '-', tree], { input: message })
      await runGit(clone, ['update-ref', branch, commit, ...(head === undefined ? [] : [head])])
      return commit
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
