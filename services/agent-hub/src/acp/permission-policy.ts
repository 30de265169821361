import { readlink, realpath } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path'

/** https://agentclientprotocol.com/protocol/tool-calls#requesting-permission */
export interface PermissionOption {
  optionId: string
  kind: string
}

/** What of the operating system stands around an agent: nothing, walls with the machine's network in them, or all. */
export type Walls = 'none' | 'files' | 'all'

export interface PermissionQuestion {
  /** ACP's tool kind; null when the agent did not tell. */
  kind: string | null
  /** As the agent words it. */
  title: string
  /** Whether every path that it named lies in the working copy; null when it named none. */
  inside: boolean | null
  walls: Walls
}

export interface PermissionAnswer {
  allow: boolean
  why: string
}

/** `mcp__orchestrator__submit_result`, `submit_result (orchestrator MCP Server)`, …: each agent words it its own way. */
const OWN_TOOL = /(?:^|[^a-z0-9])submit_result(?![a-z0-9_])/i

/**
 * What an agent that asks may do. This is no boundary, the sandbox is: many tools never ask, and a shell
 * command carries no path. Where the sandbox holds everything little is refused, for a refusal ends the turn of some.
 */
export function decidePermission(o: PermissionQuestion): PermissionAnswer {
  // A model's own servers may do it in its name, so that walls around the agent do not hold it.
  if (o.kind === 'fetch') return { allow: false, why: 'there is no network for agents' }
  if (o.walls === 'all') return HELD
  switch (o.kind) {
    case 'read':
    case 'search':
    case 'think':
    case 'edit':
    case 'delete':
    case 'move':
      if (o.inside === true) return { allow: true, why: 'inside the working copy' }
      if (o.inside === false) return { allow: false, why: 'outside of the working copy' }
      if (o.kind === 'think') return { allow: true, why: 'it touches nothing' }
      return o.walls === 'files' ? HELD : { allow: false, why: 'it names no file, and there is no sandbox' }
    case 'execute':
      return o.walls === 'files' ? HELD : { allow: false, why: 'commands run in the sandbox only' }
    case 'other':
    case null:
      // Only for kinds that touch nothing by themselves: a title is the agent's own word.
      if (OWN_TOOL.test(o.title)) return { allow: true, why: 'it is the hub’s own tool' }
      return { allow: false, why: 'nothing of the kind is allowed' }
    default:
      return { allow: false, why: 'nothing of the kind is allowed' }
  }
}

const HELD: PermissionAnswer = { allow: true, why: 'the sandbox holds it' }

/** Ids differ from agent to agent: the kind decides. Undefined when the agent offers no way to say it. */
export function chooseOption(options: readonly PermissionOption[], allow: boolean): string | undefined {
  // Never `allow_always`: some agents write it into the repository's settings.
  const kinds = allow ? ['allow_once'] : ['reject_once', 'reject_always']
  return kinds.map((kind) => options.find((option) => option.kind === kind)?.optionId).find((id) => id !== undefined)
}

/** Whether all paths lie in the working copy once every link in them is followed; null when there are none. */
export async function areInside(working_copy: string, paths: readonly string[]): Promise<boolean | null> {
  if (paths.length === 0) return null
  const root = await realpath(working_copy)
  const real = await Promise.all(paths.map((path) => resolveLinks(resolve(working_copy, path))))
  return real.every((path) => isBelow(root, path))
}

export function isBelow(root: string, path: string): boolean {
  const way = relative(root, path)
  return way !== '..' && !way.startsWith('../') && !isAbsolute(way)
}

/** The real path of a file that may not exist yet; a link that leads to nothing is followed all the same. */
async function resolveLinks(path: string, depth = 0): Promise<string> {
  const real = await realpath(path).catch(() => undefined)
  if (real !== undefined) return real
  const target = await readlink(path).catch(() => undefined)
  // A ring of links leads nowhere: count it as outside.
  if (target !== undefined) return depth > 40 ? '/' : await resolveLinks(resolve(dirname(path), target), depth + 1)
  const parent = dirname(path)
  return parent === path ? path : join(await resolveLinks(parent, depth), basename(path))
}
