import { execFile } from 'node:child_process'
import { lstat, mkdtemp, readlink, realpath, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { AgentProfile } from '../core/ports.ts'
import { findProgram } from './discovery.ts'
import { DOOR_PORTS, type Door } from './door.ts'

/** What of the machine every program needs to run at all. Shown read-only, where it exists. */
const SYSTEM = ['/usr'] as const
const SYSTEM_ROOTS = ['/bin', '/sbin', '/lib', '/lib32', '/lib64'] as const
const SYSTEM_FILES = [
  '/etc/alternatives',
  '/etc/ca-certificates',
  '/etc/group',
  '/etc/hosts',
  '/etc/ld.so.cache',
  '/etc/ld.so.conf',
  '/etc/ld.so.conf.d',
  '/etc/localtime',
  '/etc/nsswitch.conf',
  '/etc/passwd',
  '/etc/pki',
  '/etc/resolv.conf',
  '/etc/ssl',
] as const

/** `/bin` and its like: a link into /usr on most systems of today, a folder on others. */
export interface SystemRoot {
  path: string
  /** Null for a folder. */
  link: string | null
}

export interface SandboxPlan {
  roots: readonly SystemRoot[]
  /** Beside the system's own: the agent's package and our Node. */
  read_only: readonly string[]
  /** HOME, with TMPDIR in it, and the working copy. */
  writable: readonly string[]
  cwd: string
  /** Whether the agent is on the network of the machine; else it has none but a loopback of its own. */
  share_network: boolean
}

/**
 * Arguments of bubblewrap up to and with the `--`. An allow-list: nothing of the machine is seen but what is
 * named, so that sockets (Docker's among them), other homes and the hub's own data are out of reach.
 */
export function buildSandboxArguments(plan: SandboxPlan): string[] {
  const roots = plan.roots.flatMap(({ path, link }) =>
    link === null ? ['--ro-bind', path, path] : ['--symlink', link, path],
  )
  return [
    '--die-with-parent',
    '--new-session',
    '--unshare-user-try',
    '--unshare-pid',
    '--unshare-ipc',
    '--unshare-uts',
    '--unshare-cgroup-try',
    ...(plan.share_network ? [] : ['--unshare-net']),
    // Started by root, bubblewrap would otherwise leave every capability in place.
    '--cap-drop',
    'ALL',
    ...SYSTEM.flatMap((path) => ['--ro-bind', path, path]),
    ...roots,
    ...SYSTEM_FILES.flatMap((path) => ['--ro-bind-try', path, path]),
    '--dev',
    '/dev',
    '--proc',
    '/proc',
    '--tmpfs',
    '/tmp',
    // After the empty /tmp, which would hide what lies below it.
    ...plan.read_only.flatMap((path) => ['--ro-bind', path, path]),
    ...plan.writable.flatMap((path) => ['--bind', path, path]),
    '--chdir',
    plan.cwd,
    '--',
  ]
}

const FORWARDER = fileURLToPath(new URL('./sandbox-forwarder.ts', import.meta.url))
/** Node reads the kind of module from it. */
const PACKAGE = fileURLToPath(new URL('../../package.json', import.meta.url))

/** Where an agent finds its model inside its walls. */
export const SANDBOX_MODEL_URL = `http://127.0.0.1:${DOOR_PORTS.model}`

/** The command that really runs: the agent's own, within its walls when the profile has any. */
export async function wrapInSandbox(
  agent: AgentProfile,
  o: { home: string; working_copy: string; doors: readonly Door[] },
): Promise<readonly [string, ...string[]]> {
  if (agent.sandbox === undefined) return agent.command
  const { program, read_only, network } = agent.sandbox
  const { shown, command } =
    o.doors.length === 0 ? { shown: [], command: agent.command } : await forward(agent, o.doors)
  const plan = {
    roots: await listSystemRoots(),
    read_only: [...read_only, ...shown],
    writable: [o.home, o.working_copy],
    cwd: o.working_copy,
    share_network: network === 'machine',
  }
  return [program, ...buildSandboxArguments(plan), ...command]
}

/** The agent behind a program that opens its doors. */
async function forward(agent: AgentProfile, doors: readonly Door[]): Promise<{ shown: string[]; command: string[] }> {
  return {
    shown: [...doors.map(({ folder }) => folder), FORWARDER, PACKAGE],
    command: [
      await realpath(process.execPath),
      FORWARDER,
      ...doors.flatMap(({ port, socket }) => [String(port), socket]),
      '--',
      ...agent.command,
    ],
  }
}

/** A command that sees a working copy and a HOME, the system's programs and our Node, and no network at all. */
export async function wrapOffline(
  program: string,
  o: { command: readonly string[]; home: string; working_copy: string },
): Promise<readonly [string, ...string[]]> {
  const plan = {
    roots: await listSystemRoots(),
    read_only: await listReadOnly(await realpath(process.execPath)),
    writable: [o.home, o.working_copy],
    cwd: o.working_copy,
    share_network: false,
  }
  return [program, ...buildSandboxArguments(plan), ...o.command]
}

async function listSystemRoots(): Promise<SystemRoot[]> {
  const found = await Promise.all(
    SYSTEM_ROOTS.map(async (path): Promise<SystemRoot[]> => {
      const entry = await lstat(path).catch(() => undefined)
      if (entry === undefined) return []
      return [{ path, link: entry.isSymbolicLink() ? await readlink(path) : null }]
    }),
  )
  return found.flat()
}

/** What stands around real agents on this machine. */
export type SandboxState =
  | { kind: 'bubblewrap'; program: string }
  | { kind: 'off' }
  | { kind: 'missing'; reason: string }

/** Tries the walls on this machine: that bubblewrap is installed says nothing about what the kernel allows. */
export async function probeSandbox(o: { setting: 'auto' | 'off'; env: NodeJS.ProcessEnv }): Promise<SandboxState> {
  if (o.setting === 'off') return { kind: 'off' }
  const remedy = 'Install it with "apt-get install bubblewrap", or set HUB_SANDBOX=off to run agents without walls.'
  const program = await findProgram('bwrap', (o.env['PATH'] ?? '').split(':'))
  if (program === undefined) {
    return { kind: 'missing', reason: `Real agents run in a sandbox only, and bubblewrap is not installed. ${remedy}` }
  }
  const folder = await mkdtemp(join(tmpdir(), 'sandbox-probe-'))
  try {
    const plan = {
      roots: await listSystemRoots(),
      read_only: [],
      writable: [folder],
      cwd: folder,
      share_network: false,
    }
    const failure = await runOnce(program, [...buildSandboxArguments(plan), '/bin/sh', '-c', 'exit 0'])
    if (failure === undefined) return { kind: 'bubblewrap', program }
    return {
      kind: 'missing',
      reason: `Real agents run in a sandbox only, and bubblewrap does not work here: ${failure}. Allow unprivileged user namespaces, or set HUB_SANDBOX=off to run agents without walls.`,
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** For `/health`: what a person should know about the walls; empty when there is nothing to say. */
export function describeSandboxState(state: SandboxState, agents: readonly AgentProfile[]): string[] {
  if (agents.length === 0) return []
  const open = agents.filter((agent) => agent.sandbox?.network === 'machine').map((agent) => agent.name)
  switch (state.kind) {
    case 'bubblewrap':
      return open.length === 0
        ? []
        : [`As agents.yaml says, these agents are on the network of this machine: ${open.join(', ')}.`]
    case 'off':
      return ['HUB_SANDBOX=off: real agents run without a sandbox and can do all that this user can.']
    case 'missing':
      return []
  }
}

/**
 * What an agent's program needs to see: its package with all that it depends on, or the folder of a program that
 * stands alone. `program` is a real path, without links.
 */
export async function listReadOnly(program: string): Promise<string[]> {
  const parts = program.split('/')
  const outermost = parts.indexOf('node_modules')
  const package_root = outermost === -1 ? dirname(program) : parts.slice(0, outermost + 1).join('/')
  const node = dirname(await realpath(process.execPath))
  return [...new Set([package_root, node])].filter((path) => !path.startsWith('/usr/') && path !== '/usr')
}

/** Why it failed, or undefined. */
async function runOnce(program: string, args: readonly string[]): Promise<string | undefined> {
  return await new Promise((resolve) => {
    execFile(program, args, { timeout: 5_000, env: {} }, (error, _stdout, stderr) => {
      resolve(error === null ? undefined : (stderr.trim().split('\n')[0] ?? error.message))
    })
  })
}
