import type { Health, HubHealth } from '@orchestrator/contract'

import { HubError, type AgentHub, type Clock, type WorkflowStore } from './ports.ts'

/** How long the hub's answer counts, so that health checks do not load it. */
const FRESH_MS = 2_000
const PATIENCE_MS = 1_000

export interface ServiceHealthOptions {
  store: WorkflowStore
  /** Undefined when phases are run outside. */
  hub: AgentHub | undefined
  clock: Clock
  version: string
  started_at: Date
}

/** `unhealthy` when the store cannot be read; `degraded` when the hub does not answer: reading and reviewing go on. */
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
    const reasons = (await hubReasons) ?? []
    return { status: reasons.length === 0 ? 'healthy' : 'degraded', ...about, reasons }
  }
}

function reasonsOf({ status, reasons }: HubHealth): string[] {
  return reasons.length === 0
    ? [`The Agent Hub says it is ${status}.`]
    : reasons.map((reason) => `Agent Hub: ${reason}`)
}
