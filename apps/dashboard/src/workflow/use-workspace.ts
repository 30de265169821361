import { useQuery } from '@tanstack/react-query'

import type { WorkspaceEntry } from '@orchestrator/contract'

import { workspacesQuery } from '../api/queries.ts'

/**
 * The workspaces that this person may choose from, and the one that a new feature is for: the wanted one, else the
 * default, else, with a key that does not reach that, the first. Undefined while nobody can tell.
 */
export function useWorkspace(wanted: string): { all: readonly WorkspaceEntry[]; chosen: WorkspaceEntry | undefined } {
  const all = useQuery(workspacesQuery()).data ?? []
  return { all, chosen: all.find(({ name }) => name === wanted) ?? all.find((item) => item.default) ?? all[0] }
}
