import type { Health, HubHealth } from '@orchestrator/contract'

import { HubError, type AgentHub } from './agent-hub.ts'
import type { Clock, WorkflowStore } from './ports.ts'

/** How long the hub's answer counts, so that health checks do not load it. */
const FRESH_MS = 2_000
const PATIENCE_MS = 1_000

export interface ServiceHealthOptions {
  store: WorkflowStore
  /** Undefined when phases are run outside. */
  hub: AgentHub | undefined
  /** What else may be wrong, each as sentences; asked each time, so it must cost little. */
  troubles: readonly Trouble[]
  clock: Clock
  version: string
  started_at: Date
}

/** Sentences on what is wrong; none when nothing is. */
export type Trouble = () => Promise<readonly string[]> | readonly string[]

/** `unhealthy` when the store cannot be read; `degraded` when something is wrong with which reading and reviewing go on. */
export function createHealthCheck(o: ServiceHealthOptions): () => Promise<Health> {
  let hubReasons: Promise<string[]> | undefined
  let asked_at = 0

  const askHub = async (hub: AgentHub): Promise<string[]> => {
    const over = new AbortController()
    const late = o.clock.sleep(PATIENCE_MS, over.signal).then(
      () => ['The Agent Hub does not answer in time.'],
      () => [],
    )
    const answer = hub.getHealth().then(
      (health) => (health.status === 'healthy' ? [] : reasonsOf(health)),
      (error: unknown) => [error instanceof HubError ? error.message : String(error)],
    )
    const reasons = await Promise.race([answer, late])
    over.abort()
    return reasons
  }

  return async () => {
    const now = o.clock.now().getTime()
    const about = { version: o.version, uptime_seconds: Math.max(0, (now - o.started_at.getTime()) / 1000) }
    try {
      await o.store.lastSequence()
    } catch (error) {
      return { status: 'unhealthy', ...about, reasons: [`The database cannot be read: ${String(error)}`] }
    }
    if (o.hub !== undefined && Math.abs(now - asked_at) > FRESH_MS) {
      asked_at = now
      hubReasons = askHub(o.hub)
    }
    const told = await Promise.all([hubReasons ?? [], ...o.troubles.map((trouble) => explain(trouble))])
    const reasons = told.flat()
    return { status: reasons.length === 0 ? 'healthy' : 'degraded', ...about, reasons }
  }
}

async function explain(trouble: Trouble): Promise<readonly string[]> {
  try {
    return await trouble()
  } catch (error) {
    return [`A part of the service cannot tell how it is: ${String(error)}`]
  }
}

function reasonsOf({ status, reasons }: HubHealth): string[] {
  return reasons.length === 0
    ? [`The Agent Hub says it is ${status}.`]
    : reasons.map((reason) => `Agent Hub: ${reason}`)
}
