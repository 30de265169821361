import { useQuery } from '@tanstack/react-query'

import { agentsQuery } from '../api/queries.ts'

/** The title of an agent. `default` is what the hub calls the one it chooses when nobody names one. */
export function useAgentTitle(name: string | null): string {
  const { data } = useQuery(agentsQuery())
  const known = data?.items.find((agent) => agent.name === (name === 'default' ? data.default : name))
  return known?.title ?? (name === null || name === 'default' ? 'The agent' : name)
}
