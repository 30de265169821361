import { ServiceError } from '@orchestrator/contract'

import { HubError, type AgentHub } from './agent-hub.ts'
import type { Clock } from './ports.ts'
import { unknownWorkspace } from './sentences.ts'

/** How long an answer of the hub counts as fresh, and how long it is waited for, in milliseconds. */
const FRESH_MS = 5_000
const PATIENCE_MS = 500

/**
 * The highest feature number taken in a workspace's repository, which only the hub can see. Asked of it
 * when a feature is created, but never waited for long: what is known from before serves meanwhile, and
 * a number that turns out to be taken is refused by the hub later. Throws WORKSPACE_NOT_FOUND when the hub says so.
 */
export function createHighestNumber(hub: AgentHub, clock: Clock): (workspace: string) => Promise<number> {
  const known = new Map<string, { number: number; asked_at: number }>()

  const ask = async (workspace: string) => {
    try {
      const { highest_number: number } = await hub.getWorkspace(workspace)
      known.set(workspace, { number, asked_at: clock.now().getTime() })
    } catch (error) {
      if (!(error instanceof HubError)) throw error
      if (error.code === 'WORKSPACE_NOT_FOUND') {
        throw new ServiceError('WORKSPACE_NOT_FOUND', unknownWorkspace(workspace), { cause: error })
      }
    }
  }

  return async (workspace) => {
    const last = known.get(workspace)
    const age = clock.now().getTime() - (last?.asked_at ?? 0)
    if (last === undefined || age < 0 || age > FRESH_MS) {
      const over = new AbortController()
      const asked = ask(workspace)
      // Nobody waits for it any more when patience ran out first.
      asked.catch(() => {})
      await Promise.race([asked, clock.sleep(PATIENCE_MS, over.signal).catch(() => {})])
      over.abort()
    }
    return known.get(workspace)?.number ?? 0
  }
}
