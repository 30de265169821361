import { ServiceError } from '@orchestrator/contract'

import type { Workspaces } from '../core/ports.ts'
import { createMirror } from './mirror.ts'
import { shown, type RemoteSettings } from './remote-url.ts'
import { openRepository, type Repository } from './repository.ts'
import { createWorkspace, type Workspace, type WorkspaceOptions } from './workspace.ts'
import { WorkspaceError } from './workspace-error.ts'

/** Where a workspace's repository is: on this machine, or elsewhere. */
export type WorkspaceSource = { name: string } & ({ path: string } | { url: string })

export interface WorkspacesOptions {
  /** Each name once; the first is the default. */
  sources: readonly [WorkspaceSource, ...WorkspaceSource[]]
  data_dir: string
  settings: RemoteSettings
  /** Ends agents that wait in a working copy. Answers whether any was still there. Without it there never is one. */
  endAgentsIn?: (working_copy: string) => Promise<boolean>
}

/** Repositories by name. What cannot be reached is told when it is used, so that the others go on. */
export function createWorkspaces(o: WorkspacesOptions): Workspaces {
  const { data_dir, settings, endAgentsIn = async () => false } = o
  const known = new Map(
    o.sources.map((source) => [
      source.name,
      createWorkspace({ ...opener(source, o), data_dir, settings, endAgentsIn }),
    ]),
  )

  const get = (name: string): Workspace => {
    const workspace = known.get(name)
    if (workspace !== undefined) return workspace
    const names = [...known.keys()].map((known) => `"${known}"`).join(', ')
    throw new ServiceError('WORKSPACE_NOT_FOUND', `There is no workspace "${name}" here; there is ${names}.`)
  }

  return {
    list: () =>
      o.sources.map((source, at) => ({
        name: source.name,
        location: 'url' in source ? shown(source.url) : source.path,
        default: at === 0,
      })),
    assertKnown: (name) => void get(name),
    describe: async (name) => get(name).describe(),
    findFeature: async (name, feature_id) => get(name).findFeature(feature_id),
    open: async (name, feature_id) => get(name).open(feature_id),
    removeSettled: async (name, kept) => get(name).removeSettled(kept),
    push: async (name, feature_id, how) => get(name).push(feature_id, how),
  }
}

function opener(source: WorkspaceSource, o: WorkspacesOptions): Pick<WorkspaceOptions, 'name' | 'open' | 'peek'> {
  const { name } = source
  /** Whose repository cannot be used is told when it is used. */
  const told =
    <T>(open: () => Promise<T>) =>
    async () => {
      try {
        return await open()
      } catch (error) {
        if (!(error instanceof WorkspaceError)) throw error
        throw new ServiceError('UNAVAILABLE', `Workspace "${name}": ${error.message}`, { cause: error })
      }
    }
  if ('url' in source) {
    const mirror = createMirror({ ...source, ...o })
    return { name, open: told(mirror.open), peek: told(mirror.peek) }
  }
  let opened: Repository | undefined
  const open = told(async () => (opened ??= await openRepository(source.path, `Workspace "${name}"`)))
  return { name, open, peek: open }
}
