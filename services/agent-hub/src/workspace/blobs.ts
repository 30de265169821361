import { listGit, runGit, type GitPlace } from './git.ts'
import { readLooseBlob } from './loose-objects.ts'
import { FILE_BYTES_MAX } from './safe-path.ts'

/** The mode by which git keeps a pointer to another repository. */
const SUBMODULE = '160000'

/** Path → id of what the file holds. Pointers to other repositories are none of ours. */
export type Blobs = ReadonlyMap<string, string>

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
  const blobs = new Map<string, string>()
  for (const entry of entries) {
    const tab = entry.indexOf('\t')
    const [mode, ...words] = entry.slice(0, tab).split(' ')
    const id = words.find((word) => word.length >= 40)
    if (mode !== SUBMODULE && id !== undefined) blobs.set(entry.slice(tab + 1), id)
  }
  return blobs
}

/** Those that the paths name; what is not there, and what is too large, is left out. */
export async function readBlobs(
  clone: GitPlace,
  blobs: Blobs,
  paths: readonly string[],
): Promise<Map<string, Uint8Array>> {
  const wanted = paths.flatMap((path) => {
    const id = blobs.get(path)
    return id === undefined ? [] : [{ path, id }]
  })
  const loose = await Promise.all(wanted.map(async ({ id }) => readLooseBlob(clone, id)))
  const asked = await askForBlobs(
    clone,
    wanted.flatMap(({ id }, at) => (loose[at] === undefined ? [id] : [])),
  )
  const found = new Map<string, Uint8Array>()
  for (const [at, { path, id }] of wanted.entries()) {
    const bytes = loose[at] ?? asked.get(id)
    if (bytes !== undefined) found.set(path, bytes)
  }
  return found
}

/** In one question for all. */
async function askForBlobs(clone: GitPlace, ids: readonly string[]): Promise<Map<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>()
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
