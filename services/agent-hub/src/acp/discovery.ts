import { constants } from 'node:fs'
import { access, readFile, realpath, stat } from 'node:fs/promises'
import { delimiter, dirname, isAbsolute, join } from 'node:path'

import * as z from 'zod'

/** The first executable file of that name in the folders, or at that absolute path; every link in its path followed. */
export async function findProgram(name: string, folders: readonly string[]): Promise<string | undefined> {
  // A relative entry of PATH would mean another program in every working copy.
  const places = folders.filter((folder) => isAbsolute(folder)).map((folder) => join(folder, name))
  for (const path of isAbsolute(name) ? [name] : places) {
    const found = await stat(path).catch(() => undefined)
    if (found?.isFile() === true && (await isExecutable(path))) return await realpath(path)
  }
  return undefined
}

/** Where agents are looked for: the folder that the hub's own installer uses, this project's packages, then PATH. */
export function listSearchPaths(cwd: string, path: string | undefined): string[] {
  return [
    join(cwd, 'data/agents/node_modules/.bin'),
    join(cwd, 'node_modules/.bin'),
    ...(path ?? '').split(delimiter).filter((folder) => folder !== ''),
  ]
}

const packageSchema = z.looseObject({ name: z.string(), version: z.string() })

/** Version of the npm package that a program belongs to, without running it; null when it belongs to none. */
export async function findVersion(program: string): Promise<string | null> {
  for (let folder = dirname(program); folder.includes('/node_modules/'); folder = dirname(folder)) {
    const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined)
    const found = packageSchema.safeParse(parse(text)).data
    if (found !== undefined) return found.version
  }
  return null
}

function parse(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text)
  } catch {
    return undefined
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return await access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
