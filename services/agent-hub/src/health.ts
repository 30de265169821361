import type { Health } from '@orchestrator/contract'

import { DEFAULT_WORKSPACE } from './core/invocations.ts'
import type { AgentRegistry, Workspaces } from './core/ports.ts'
import type { InvocationStore } from './core/store.ts'

const ANY_DIGEST = '0'.repeat(64)
/** How long a look at the workspace counts: it starts git, and everybody may ask. */
const FRESH_MS = 2_000

/** Unhealthy: no work can be done at all. Degraded: some cannot, or not as safely as it should. */
export function createHealthCheck(o: {
  version: string
  store: InvocationStore
  workspaces: Workspaces
  registry: AgentRegistry
  /** Sentences on what is missing around a real default agent. */
  sandbox_warnings: readonly string[]
}): () => Promise<Health> {
  const started = performance.now()
  let workspace: Promise<string[]> | undefined
  let looked_at = 0

  const lookAtWorkspace = (): Promise<string[]> => {
    if (workspace === undefined || performance.now() - looked_at > FRESH_MS) {
      looked_at = performance.now()
      workspace = explain('The workspace cannot be read', async () => o.workspaces.describe(DEFAULT_WORKSPACE))
    }
    return workspace
  }

  return async () => {
    const database = explain('The database cannot be read', async () => o.store.findInvocation(ANY_DIGEST))
    const broken = (await Promise.all([database, lookAtWorkspace()])).flat()
    const lacking = [...(await explain(undefined, async () => o.registry.getAgent('default'))), ...o.sandbox_warnings]
    return {
      status: broken.length > 0 ? 'unhealthy' : lacking.length > 0 ? 'degraded' : 'healthy',
      version: o.version,
      uptime_seconds: Math.round(performance.now() - started) / 1000,
      reasons: [...broken, ...lacking],
    }
  }
}

/** Why it does not work, as sentences; none when it does. */
async function explain(what: string | undefined, check: () => Promise<unknown>): Promise<string[]> {
  try {
    await check()
    return []
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return [what === undefined ? reason : `${what}: ${reason}`]
  }
}
