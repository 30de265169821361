import { createHash } from 'node:crypto'
import { posix } from 'node:path'

import { listGit, runGit, type GitPlace } from './git.ts'
import { readLooseBlob } from './loose-objects.ts'
import { FILE_BYTES_MAX } from './safe-path.ts'

/** The mode by which git keeps a pointer to another repository. */
export const SUBMODULE = '160000'
/** The one of a link, whose content is where it leads. */
export const LINK = '120000'

/** A file as git keeps it. */
export interface Entry {
  mode: string
  /** Of what it holds. */
  id: string
}

/** By path. Pointers to other repositories are none of ours. */
export type Blobs = ReadonlyMap<string, Entry>

/** Whether bytes are what git keeps under an id. */
export function isBlob(id: string, bytes: Uint8Array): boolean {
  const hash = createHash(id.length === 40 ? 'sha1' : 'sha256')
  return hash.update(`blob ${bytes.byteLength}\0`).update(bytes).digest('hex') === id
}

export interface Index {
  /** What it holds. */
  readonly blobs: Blobs
  /** Whether the files lie as it says and no others beside them. */
  is_clean: boolean
}

export async function readIndex(clone: GitPlace): Promise<Index> {
  const differing = ['--modified', '--deleted', '--others', '--exclude-standard']
  const entries = await listGit(clone, ['ls-files', '-z', '-t', '--stage', ...differing])
  // `TAG MODE ID STAGE\tPATH`, and `? PATH` of what is not in it.
  const held = entries.filter((entry) => entry.startsWith(HELD))
  const others = entries.filter((entry) => !entry.startsWith(HELD) && !entry.startsWith(SUBMODULE, HELD.length))
  let blobs: Blobs | undefined
  return {
    // Read when it is first asked for: while the agent works there is time.
    get blobs() {
      return (blobs ??= toBlobs(held.map((entry) => entry.slice(HELD.length))))
    },
    is_clean: others.length === 0,
  }
}

const HELD = 'H '

export async function listTreeBlobs(clone: GitPlace, tree: string): Promise<Blobs> {
  return toBlobs(await listGit(clone, ['ls-tree', '-r', '-z', '--full-tree', tree]))
}

/** `MODE ID STAGE\tPATH`, or `MODE blob ID\tPATH` of git-ls-tree(1). */
function toBlobs(entries: readonly string[]): Blobs {
  const blobs = new Map<string, Entry>()
  for (const entry of entries) {
    const tab = entry.indexOf('\t')
    const [mode = '', ...words] = entry.slice(0, tab).split(' ')
    const id = words.find((word) => word.length >= 40)
    if (mode !== SUBMODULE && id !== undefined) blobs.set(entry.slice(tab + 1), { mode, id })
  }
  return blobs
}

/** Links that lead to links before we stop looking. */
const LINKS_MAX = 10

/**
 * Those that the paths name; what is not there, and what is too large, is left out. Links are followed among the same
 * files: what they hold is no document.
 */
export async function readBlobs(
  clone: GitPlace,
  blobs: Blobs,
  paths: readonly string[],
): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>()
  let wanted = paths.map((path) => ({ path, at: path }))
  for (let links = 0; wanted.length > 0 && links < LINKS_MAX; links++) {
    const read = await readEntries(clone, blobs, [...new Set(wanted.map(({ at }) => at))])
    const further: typeof wanted = []
    for (const { path, at } of wanted) {
      const bytes = read.get(at)
      if (bytes === undefined) continue
      if (blobs.get(at)?.mode === LINK) further.push({ path, at: posix.join(at, '..', bytes.toString()) })
      else found.set(path, bytes)
    }
    wanted = further
  }
  return found
}

async function readEntries(clone: GitPlace, blobs: Blobs, paths: readonly string[]): Promise<Map<string, Buffer>> {
  const wanted = paths.flatMap((path) => {
    const id = blobs.get(path)?.id
    return id === undefined ? [] : [{ path, id }]
  })
  const loose = await Promise.all(wanted.map(async ({ id }) => readLooseBlob(clone, id)))
  const asked = await askForBlobs(
    clone,
    wanted.flatMap(({ id }, at) => (loose[at] === undefined ? [id] : [])),
  )
  const found = new Map<string, Buffer>()
  for (const [at, { path, id }] of wanted.entries()) {
    const bytes = loose[at] ?? asked.get(id)
    if (bytes !== undefined) found.set(path, bytes)
  }
  return found
}

/** In one question for all. */
async function askForBlobs(clone: GitPlace, ids: readonly string[]): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>()
  if (ids.length === 0) return found
  const told = await runGit(clone, ['cat-file', '--batch'], { input: ids.map((id) => `${id}\n`).join('') })
  let at = 0
  for (const id of ids) {
    const end = told.indexOf(0x0a, at)
    const [, type, size] = /^[0-9a-f]+ (\w+) (\d+)$/.exec(told.subarray(at, end).toString()) ?? []
    at = end + 1
    // `ID missing`, and nothing behind it.
    if (size === undefined) continue
    if (type === 'blob' && Number(size) <= FILE_BYTES_MAX) found.set(id, told.subarray(at, at + Number(size)))
    at += Number(size) + 1
  }
  return found
}
