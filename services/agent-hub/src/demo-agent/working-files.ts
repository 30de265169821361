import { lstat, mkdir, readdir, readFile, realpath, writeFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'

const READ_LIMIT_BYTES = 1_000_000
const FILES_LIMIT = 500

/** The files of one working copy. Nothing outside it is read or written, links out of it included. */
export interface WorkingFiles {
  findFile(path: string): Promise<string | undefined>
  listFiles(folder: string): Promise<string[]>
  writeFile(path: string, content: string): Promise<void>
}

export async function openWorkingFiles(root: string): Promise<WorkingFiles> {
  const real_root = await realpath(root)

  /** Throws where a folder on the way, or the file itself, is a link that leads out. */
  async function locate(path: string): Promise<string> {
    const target = resolve(real_root, path)
    if (!isWithin(real_root, target)) throw new Error(`${path} lies outside the working copy`)
    let existing = target
    while (existing !== real_root && (await lstat(existing).catch(() => undefined)) === undefined)
      existing = dirname(existing)
    if (!isWithin(real_root, await realpath(existing))) throw new Error(`${path} leads out of the working copy`)
    return target
  }

  return {
    async findFile(path) {
      const target = await locate(path).catch(() => undefined)
      if (target === undefined) return undefined
      const stats = await lstat(target).catch(() => undefined)
      if (stats === undefined || !stats.isFile() || stats.size > READ_LIMIT_BYTES) return undefined
      return readFile(target, 'utf8')
    },
    async listFiles(folder) {
      const target = await locate(folder).catch(() => undefined)
      if (target === undefined) return []
      const entries = await readdir(target, { recursive: true, withFileTypes: true }).catch(() => [])
      return entries
        .filter((entry) => entry.isFile())
        .map((entry) => relative(real_root, join(entry.parentPath, entry.name)).split(sep).join('/'))
        .toSorted()
        .slice(0, FILES_LIMIT)
    },
    async writeFile(path, content) {
      const target = await locate(path)
      await mkdir(dirname(target), { recursive: true })
      await writeFile(target, content)
    },
  }
}

/** The feature's folder relative to the working copy: the environment's word first, as Spec Kit has it, when it lies inside. */
export function featureDirectory(root: string, from_environment: string | undefined, from_prompt: string): string {
  if (
    from_environment !== undefined &&
    isAbsolute(from_environment) &&
    isWithin(root, from_environment) &&
    from_environment !== root
  ) {
    return relative(root, from_environment).split(sep).join('/')
  }
  return from_prompt
}

const isWithin = (root: string, path: string): boolean => path === root || path.startsWith(root + sep)
