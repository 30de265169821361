import { randomUUID } from 'node:crypto'
import { copyFile, readlink, rm } from 'node:fs/promises'
import { join } from 'node:path'

import type { ChangedFile, OpenWorkingCopy, WorkingCopy } from '../core/ports.ts'
import { isBlob, LINK, listTreeBlobs, readBlobs, readIndex, SUBMODULE, type Blobs, type Index } from './blobs.ts'
import { listCommitChanges, toChangedFiles, type CommitChange } from './commit-changes.ts'
import { publishBranch, takeUpstream, type FeatureClone } from './feature-clone.ts'
import { handOver } from './hand-over.ts'
import { findGit, findLooseRef, GitError, listGit, readGit, runGit } from './git.ts'
import type { Repository } from './repository.ts'
import { leadsOut, readBelow, tooLarge, writeBelow } from './safe-path.ts'

/** Repositories within repositories that an agent may nest before we stop looking. */
const NESTING_MAX = 20

/** Git directory → the last commit, where this process has seen its index hold that. */
export type KnownIndexes = Map<string, string>

/** Files that are read before others have their turn. */
const READ_AT_ONCE = 50

export function createWorkingCopy(
  clone: FeatureClone,
  repository: Repository,
  o: {
    indexes?: KnownIndexes
    /** Answers whether any was still there. */
    endAgentsIn?: (working_copy: string) => Promise<boolean>
  } = {},
): OpenWorkingCopy {
  const { indexes = new Map(), endAgentsIn = async () => false } = o
  const endAgents = async () => endAgentsIn(clone.work_tree)
  const branch = `refs/heads/${clone.feature_id}`
  const feature_directory = `specs/${clone.feature_id}`
  const findHead = async () => findLooseRef(clone, branch) ?? findGit(clone, ['rev-parse', '-q', '--verify', 'HEAD'])

  /** Of the last commit, which is what the index holds: no agent reaches it, so it is read once. */
  let committed: Promise<Pick<Index, 'blobs'>> | undefined
  /** What that commit changed, where it was made here. */
  let made: { commit: string; changes: CommitChange[] } | undefined
  const listCommitted = async () => (await (committed ??= readIndex(clone))).blobs

  /**
   * What `list` tells, once no path of it is a repository of its own. An agent that waits for its next turn may have
   * left something at work which puts a link in the place of such a folder: then the `.git` of somebody else would be
   * deleted. So it ends first, and what lies there is listed anew.
   */
  const withoutNested = async (list: () => Promise<string[]>, pathOf: (entry: string) => string): Promise<string[]> => {
    for (let depth = 0; ; depth++) {
      const entries = await list()
      const nested = entries.map(pathOf).filter((path) => path.endsWith('/'))
      if (nested.length === 0 || depth === NESTING_MAX) return entries
      if (await endAgents()) continue
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

  /** All that is changed, in one commit. */
  const take = async (message: string | Promise<string>, changes: readonly ChangedFile[]) => {
    // `--all` is all that git knows already.
    if (changes.some(({ change }) => change === 'added')) await runGit(clone, ['add', '--all'])
    const how = ['--quiet', '--no-verify', '--no-status', '--cleanup=verbatim', '-F', '-']
    // git takes the files and waits for the message; without one it makes no commit.
    await runGit(clone, ['commit', '--all', ...how], { input: message })
    const commit = await findHead()
    return commit === undefined ? undefined : { commit, changes: await listCommitChanges(clone, commit) }
  }

  /** The files stay as they are. */
  const uncommit = async (commit: string) => {
    committed = undefined
    made = undefined
    indexes.delete(clone.git_dir)
    const parent = await findGit(clone, ['rev-parse', '-q', '--verify', `${commit}^`])
    if (parent !== undefined) {
      await runGit(clone, ['reset', '--quiet', '--mixed', parent])
      return
    }
    await runGit(clone, ['update-ref', '-d', branch])
    await runGit(clone, ['read-tree', '--empty'])
  }

  /**
   * Whether the files lie as they were committed. git follows a link that takes the place of a folder while it reads:
   * what it has then is of somewhere else, and must not come to the agent by way of the branch.
   */
  const liesAs = async (changes: readonly CommitChange[]) => {
    for (const [at, { path, before, now }] of changes.entries()) {
      if (at % READ_AT_ONCE === READ_AT_ONCE - 1) await new Promise((resolve) => setImmediate(resolve))
      if (now === undefined) continue
      if (now.mode === SUBMODULE && before?.mode !== SUBMODULE) return false
      if (now.mode === SUBMODULE) continue
      const reading = now.mode === LINK ? readLink(join(clone.work_tree, path)) : readBelow(clone.work_tree, path)
      const bytes = await reading.catch(() => undefined)
      if (bytes === undefined || !(isBlob(now.id, bytes) || isBlob(now.id, withoutReturns(bytes)))) return false
    }
    return true
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

  const reset = async (agreed?: Promise<unknown>) => {
    committed = undefined
    const index = indexes.has(clone.git_dir) ? readIndex(clone) : undefined
    index?.catch(() => {})
    await agreed
    await takeUpstream(clone, repository)
    const head = await findHead()
    if (head !== undefined && (await isAt(head, index))) return
    await endAgents()
    if (head === undefined) await runGit(clone, ['read-tree', '--empty'])
    else await runGit(clone, ['reset', '--quiet', '--hard'])
    await runGit(clone, ['clean', '--quiet', '-ffd'])
    if (head !== undefined) indexes.set(clone.git_dir, head)
  }

  return {
    ...files,

    async alone() {
      await endAgents()
    },

    // A moment later: what was asked for before is on its way then.
    lookAhead: () => void setImmediate(() => void listCommitted().catch(() => {})),

    reset,

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
      await endAgents()
      // By git, which follows no link that somebody may have put in the place of a folder.
      await withFullIndex(async (env) => runGit(clone, ['read-tree', '--reset', '-u', before], { env }))
    },

    async commit(message, known) {
      const changes = known ?? (await listChanges())
      if (changes.length === 0) return findCommitWith(await message)
      indexes.delete(clone.git_dir)
      const before = committed
      committed = undefined
      let taken = await take(message, changes).catch(async (error: unknown) => {
        // git gives up as well on what changes under its hands.
        if (!(error instanceof GitError && (await endAgents()))) throw error
        return take(message, await listChanges())
      })
      if (taken !== undefined && !(await liesAs(taken.changes)) && (await endAgents())) {
        await uncommit(taken.commit)
        const again = await listChanges()
        if (again.length === 0) return null
        taken = await take(message, again)
      }
      if (taken === undefined) return null
      committed = before && Promise.resolve({ blobs: withChanges((await before).blobs, taken.changes) })
      made = taken
      indexes.set(clone.git_dir, taken.commit)
      return taken.commit
    },

    asCommitted: (commit) => ({
      ...files,
      async look() {
        if (commit !== null && made?.commit !== commit) {
          made = { commit, changes: await listCommitChanges(clone, commit) }
        }
        const changes = commit === null ? [] : toChangedFiles(made?.changes ?? [])
        return { changes, files: [...(await listCommitted()).keys()].sort() }
      },
      async readFile(path) {
        const blobs = await listCommitted()
        const bytes = (await readBlobs(clone, blobs, [path])).get(path)
        if (bytes !== undefined || !blobs.has(path)) return bytes
        throw blobs.get(path)?.mode === LINK ? leadsOut(path) : tooLarge(path)
      },
    }),

    async discard(commit) {
      if (commit !== null) await uncommit(commit)
      await reset()
    },

    // Ends after the commit, whatever becomes of it.
    async publish(commit) {
      if (commit !== undefined && (await handOver(clone, repository, branch, commit))) return null
      await commit
      return (await findHead()) === undefined ? null : publishBranch(clone, repository)
    },
  }
}

async function readLink(path: string): Promise<Uint8Array> {
  return readlink(path, { encoding: 'buffer' })
}

/** As git keeps text where the repository’s attributes ask for CRLF in the files. */
function withoutReturns(bytes: Uint8Array): Uint8Array {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  return Buffer.from(text.replaceAll('\r\n', '\n'), 'latin1')
}

function withChanges(before: Blobs, changes: readonly CommitChange[]): Blobs {
  const after = new Map(before)
  for (const { path, now } of changes) {
    if (now === undefined || now.mode === SUBMODULE) after.delete(path)
    else after.set(path, now)
  }
  return after
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
