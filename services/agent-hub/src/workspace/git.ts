import { readFileSync } from 'node:fs'
import { devNull } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { executeGit } from './git-process.ts'
import { startGit } from './git-starter.ts'

/** Where git works. Both are always given, so that nothing in a working copy can point git elsewhere. */
export interface GitPlace {
  git_dir: string
  work_tree?: string
}

/** git said no. `message` is the last line of what it said. */
export class GitError extends Error {
  override readonly name = 'GitError'
  readonly exit_code: number | null
  readonly stderr: string

  constructor(command: string, exit_code: number | null, stderr: string) {
    const lines = stderr.trim().split('\n')
    const said = lines.findLast((line) => /^(fatal|error):/.test(line)) ?? lines.at(-1) ?? ''
    super(`git ${command} failed: ${said.replace(/^(fatal|error): /, '') || `exit code ${String(exit_code)}`}`)
    this.exit_code = exit_code
    this.stderr = stderr
  }
}

/**
 * A repository is untrusted input: it can name programs in its configuration. Each of these says no to one way.
 * Clean and smudge filters need no line: they are defined in configuration only, and the git directory of a working
 * copy, where files are added and checked out, is out of an agent's reach.
 */
const HARDENING = [
  `core.hooksPath=${devNull}`,
  'core.fsmonitor=false',
  'core.pager=cat',
  'core.editor=true',
  'core.sshCommand=false',
  'core.askPass=true',
  'core.alternateRefsCommand=true',
  `core.attributesFile=${devNull}`,
  `core.excludesFile=${devNull}`,
  'core.autocrlf=false',
  'core.quotePath=false',
  'credential.helper=',
  'commit.gpgSign=false',
  'protocol.allow=never',
  'protocol.file.allow=always',
  'protocol.ext.allow=never',
  'submodule.recurse=false',
  'fetch.recurseSubmodules=false',
  'diff.ignoreSubmodules=all',
  'gc.auto=0',
  'maintenance.auto=false',
  'init.templateDir=',
  'safe.directory=*',
].flatMap((setting) => ['-c', setting])

const IDENTITY = { name: 'Orchestrator', email: 'orchestrator@localhost' }

function agentOfSsh(): NodeJS.ProcessEnv {
  const socket = process.env['SSH_AUTH_SOCK']
  return socket === undefined ? {} : { SSH_AUTH_SOCK: socket }
}

function environment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    ...(process.env['TMPDIR'] === undefined ? {} : { TMPDIR: process.env['TMPDIR'] }),
    HOME: devNull,
    LC_ALL: 'C',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: fileURLToPath(new URL('gitconfig', import.meta.url)),
    GIT_ATTR_NOSYSTEM: '1',
    GIT_TERMINAL_PROMPT: '0',
    GIT_AUTHOR_NAME: IDENTITY.name,
    GIT_AUTHOR_EMAIL: IDENTITY.email,
    GIT_COMMITTER_NAME: IDENTITY.name,
    GIT_COMMITTER_EMAIL: IDENTITY.email,
  }
}

export interface GitOptions {
  /** One that is still to come is not waited for: git starts meanwhile. It is ended, and this rejects, when none comes. */
  input?: string | Promise<string>
  env?: Readonly<Record<string, string>>
  /** Settings for this call alone, after those that hold for every one. */
  config?: readonly string[]
  /** Whether ssh may ask the agent that the hub was started with for keys. */
  ssh?: boolean
}

/**
 * Runs git without a shell and answers its standard output. `cwd` decides only where no `place` is given.
 * Throws GitError, and an error with the code ENOENT where git is not installed.
 */
export async function runGit(
  place: GitPlace | { cwd: string },
  args: readonly [string, ...string[]],
  options: GitOptions = {},
): Promise<Buffer> {
  const { config = [] } = options
  const where =
    'git_dir' in place
      ? [`--git-dir=${place.git_dir}`, ...(place.work_tree === undefined ? [] : [`--work-tree=${place.work_tree}`])]
      : []
  const order = {
    args: [...HARDENING, ...config.flatMap((setting) => ['-c', setting]), '--no-replace-objects', ...where, ...args],
    cwd: 'git_dir' in place ? (place.work_tree ?? place.git_dir) : place.cwd,
    env: { ...environment(), ...(options.ssh === true && agentOfSsh()), ...options.env },
  }
  const input = Promise.resolve(options.input ?? '')
  let missing: { error: unknown } | undefined
  input.catch((error: unknown) => (missing = { error }))
  const { exit_code, refusal, stdout, stderr } = await (startGit(order, input) ?? executeGit(order, input))
  if (missing !== undefined) throw missing.error
  if (exit_code === 0) return Buffer.from(stdout.buffer, stdout.byteOffset, stdout.byteLength)
  if (refusal !== undefined) throw Object.assign(new Error(`git could not be started: ${refusal}`), { code: refusal })
  throw new GitError(args[0], exit_code, stderr)
}

/** As text, without the newline at the end. */
export async function readGit(
  place: GitPlace | { cwd: string },
  args: readonly [string, ...string[]],
  options?: GitOptions,
): Promise<string> {
  return (await runGit(place, args, options)).toString().replace(/\n$/, '')
}

/**
 * What a branch points to where it lies in a file of its own, which counts before any other place; undefined where it
 * does not, and git has to be asked. A process saved: git takes longer to start than to do most of what it is asked.
 */
export function findLooseRef(place: GitPlace, ref: string): string | undefined {
  return /^([0-9a-f]{40}|[0-9a-f]{64})\n?$/.exec(readQuietly(join(place.git_dir, ref)))?.[1]
}

/** A small file that git keeps, which is read before another thread could be asked for it; empty where there is none. */
export function readQuietly(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/** Entries of a `-z` output. */
export async function listGit(place: GitPlace, args: readonly [string, ...string[]]): Promise<string[]> {
  return (await runGit(place, args)).toString().split('\0').filter(Boolean)
}

/** Undefined where git answers "there is none" (exit code 1). */
export async function findGit(place: GitPlace, args: readonly [string, ...string[]]): Promise<string | undefined> {
  try {
    return await readGit(place, args)
  } catch (error) {
    if (error instanceof GitError && error.exit_code === 1) return undefined
    throw error
  }
}
