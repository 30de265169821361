import { useQuery } from '@tanstack/react-query'

import type { Session } from '@orchestrator/contract'

import { sessionQuery } from './queries.ts'

/** Whose page this is; undefined until the service has said so. */
export const useSession = (): Session | undefined => useQuery(sessionQuery()).data

export const mayReview = (session: Session | undefined): boolean =>
  session?.role === 'local' || session?.role === 'reviewer' || session?.role === 'admin'
