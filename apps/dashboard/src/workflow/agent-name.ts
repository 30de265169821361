import { useQuery } from '@tanstack/react-query'

import { agentsQuery } from '../api/queries.ts'

/** The title of an agent, null while it is not known. `default` is what the hub calls the one it chooses itself. */
export function useAgentTitle(name: string | null): string | null {
  const { data } = useQuery(agentsQuery())
  const known = data?.items.find((agent) => agent.name === (name === 'default' ? data.default : name))
  return known?.title ?? (name === 'default' ? null : name)
}
