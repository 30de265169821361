import type { AdminAct, JsonObject } from '@orchestrator/contract'

import type { Origin } from './origin.ts'

/** What an admin does beside deciding on workflows; written down in the commit that does it. */
export interface Act {
  by: Origin
  action: AdminAct['action']
  subject: string
  details: JsonObject
  created_at: string
}

export interface ActStore {
  /** Newest first. */
  listActs(before: number, limit: number): Promise<AdminAct[]>
}
