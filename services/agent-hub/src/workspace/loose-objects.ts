import { randomUUID } from 'node:crypto'
import { copyFileSync, readFileSync, renameSync, statSync } from 'node:fs'
import { chmod, copyFile, mkdir, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { inflate, inflateSync } from 'node:zlib'

import type { GitPlace } from './git.ts'
import { FILE_BYTES_MAX } from './safe-path.ts'

/*
 * What git wrote last lies in files of their own, as `TYPE SIZE\0CONTENT` in zlib's format: to read and copy those here
 * saves processes. Where it lies in a pack, or is too large, git has to be asked.
 */

const unzip = promisify<Uint8Array, { maxOutputLength: number }, Buffer>(inflate)
const HEADER_BYTES_MAX = 32

const placeOf = ({ git_dir }: GitPlace, id: string) => join(git_dir, 'objects', id.slice(0, 2), id.slice(2))

/** Content of a file. */
export async function readLooseBlob(place: GitPlace, id: string): Promise<Buffer | undefined> {
  const path = placeOf(place, id)
  try {
    if ((await stat(path)).size > FILE_BYTES_MAX) return undefined
    const object = await unzip(await readFile(path), { maxOutputLength: FILE_BYTES_MAX + HEADER_BYTES_MAX })
    return contentOf(object, 'blob')
  } catch {
    return undefined
  }
}

const SMALL_BYTES_MAX = 1024 * 1024

export function readLooseCommit(place: GitPlace, id: string): { tree: string; parents: string[] } | undefined {
  const head = readLooseNode(place, id, 'commit')?.toString('latin1').split('\n\n', 1)[0] ?? ''
  const tree = /^tree ([0-9a-f]+)$/m.exec(head)?.[1]
  if (tree === undefined) return undefined
  return { tree, parents: [...head.matchAll(/^parent ([0-9a-f]+)$/gm)].flatMap(([, parent = '']) => parent) }
}

export interface TreeEntry {
  mode: string
  id: string
  is_tree: boolean
}

/** `MODE NAME\0ID` again and again, the id in bytes. By name, of which every byte is a character. */
export function readLooseTree(place: GitPlace, tree: string): Map<string, TreeEntry> | undefined {
  const bytes = readLooseNode(place, tree, 'tree')
  if (bytes === undefined) return undefined
  const entries = new Map<string, TreeEntry>()
  for (let at = 0; at < bytes.length;) {
    const nul = bytes.indexOf(0, at)
    const [mode = '', ...name] = bytes.toString('latin1', at, nul).split(' ')
    at = nul + 1 + tree.length / 2
    entries.set(name.join(' '), { mode, id: bytes.toString('hex', nul + 1, at), is_tree: mode === '40000' })
  }
  return entries
}

/** A commit or a tree that was just written: so small that to wait for it takes longer than to read it. */
function readLooseNode(place: GitPlace, id: string, type: 'commit' | 'tree'): Buffer | undefined {
  try {
    return contentOf(inflateSync(readFileSync(placeOf(place, id)), { maxOutputLength: SMALL_BYTES_MAX }), type)
  } catch {
    return undefined
  }
}

function contentOf(object: Buffer, type: string): Buffer | undefined {
  const start = object.indexOf(0) + 1
  const bytes = object.subarray(start)
  return object.toString('latin1', 0, start) === `${type} ${bytes.length}\0` ? bytes : undefined
}

/** What is no larger is copied before another thread could be asked for it. */
const COPIED_AT_ONCE_MAX = 64 * 1024

/** Rejects when it is not there as a file of its own. Under its name it is whole at any moment, as git leaves it. */
export async function copyLoose(from: GitPlace, to: GitPlace, id: string): Promise<void> {
  const source = placeOf(from, id)
  const target = placeOf(to, id)
  // As git calls its own, so that it clears away what a killed hub leaves.
  const fresh = join(dirname(target), `tmp_obj_${randomUUID()}`)
  const copy = async () =>
    statSync(source).size <= COPIED_AT_ONCE_MAX ? copyFileSync(source, fresh) : copyFile(source, fresh)
  try {
    // Most often the folder is there.
    await copy().catch(async () => {
      await makeFolder(dirname(target))
      await copy()
    })
    renameSync(fresh, target)
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  }
}

async function makeFolder(path: string): Promise<void> {
  if ((await mkdir(path, { recursive: true })) === undefined) return
  // Where several people share the repository, they may write in this one too.
  await chmod(path, (await stat(dirname(path))).mode)
}
