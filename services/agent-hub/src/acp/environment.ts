import { lstat, mkdir, rm, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join, sep } from 'node:path'

/**
 * All that an agent inherits from the hub. What is not named here, every secret of the service among
 * it, does not reach it; a profile names what its agent needs beyond.
 */
const INHERITED = ['LANG', 'LANGUAGE', 'LC_ALL', 'LC_CTYPE', 'TZ', 'USER', 'LOGNAME'] as const

/** Beside HOME's own files, so that HOME never lies below TMPDIR: some agents refuse to work there. */
const TMP_DIRECTORY = '.hub-tmp'

export interface EnvironmentSource {
  /** The hub's own. */
  inherited: NodeJS.ProcessEnv
  home: string
  profile_env: Readonly<Record<string, string>>
  turn_env: Readonly<Record<string, string>>
}

/** The whole environment of an agent. `{home}` in a profile's value stands for the private HOME. */
export function buildEnvironment(o: EnvironmentSource): Record<string, string> {
  const env: Record<string, string> = {}
  for (const name of INHERITED) {
    const value = o.inherited[name]
    if (value !== undefined) env[name] = value
  }
  // Our own Node first: agents from npm begin with `#!/usr/bin/env node`.
  env['PATH'] = [dirname(process.execPath), o.inherited['PATH'] ?? '/usr/local/bin:/usr/bin:/bin'].join(delimiter)
  env['HOME'] = o.home
  env['TMPDIR'] = join(o.home, TMP_DIRECTORY)
  env['SHELL'] = '/bin/sh'
  env['TERM'] = 'dumb'
  env['NO_COLOR'] = '1'
  for (const [name, value] of Object.entries(o.profile_env)) env[name] = value.replaceAll('{home}', o.home)
  return { ...env, ...o.turn_env }
}

/**
 * Makes HOME and an empty TMPDIR and lays the profile's files. An earlier turn owned this HOME and may
 * have left links in it: none is followed.
 */
export async function prepareHome(home: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(home, { recursive: true, mode: 0o700 })
  const tmp = join(home, TMP_DIRECTORY)
  await rm(tmp, { recursive: true, force: true })
  await mkdir(tmp, { mode: 0o700 })
  for (const [path, content] of Object.entries(files)) {
    const parts = path.split('/')
    if (parts.includes('..') || path.startsWith('/')) throw new Error(`${path} lies outside of HOME`)
    let folder = home
    for (const part of parts.slice(0, -1)) {
      folder = join(folder, part)
      await removeUnlessDirectory(folder)
      await mkdir(folder, { recursive: true, mode: 0o700 })
    }
    const file = [folder, parts.at(-1) ?? ''].join(sep)
    await rm(file, { recursive: true, force: true })
    await writeFile(file, content.replaceAll('{home}', home), { flag: 'wx', mode: 0o600 })
  }
}

export async function clearTemporary(home: string): Promise<void> {
  await rm(join(home, TMP_DIRECTORY), { recursive: true, force: true }).catch(() => {})
}

async function removeUnlessDirectory(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (found !== undefined && !found.isDirectory()) await rm(path, { force: true })
}
