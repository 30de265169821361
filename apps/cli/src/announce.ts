import { setTimeout } from 'node:timers/promises'

import { databasePath } from './database-url.ts'
import { buildDashboard } from './dashboard-build.ts'
import { askHub } from './hub.ts'
import type { Reporter } from './reporter.ts'
import { reachableUrl } from './service-url.ts'
import type { Services } from './services.ts'

const POLL_MS = 25

/** Waits until everything answers, builds the page when that is due, and tells where to look. */
export async function announce(
  services: Services,
  options: { root: string; env: NodeJS.ProcessEnv; report: Reporter; signal: AbortSignal },
): Promise<void> {
  const { root, env, report, signal } = options
  const [url] = await Promise.all([services.orchestrator?.url.then(reachableUrl), services.hub?.url])
  if (url === undefined) return
  await Promise.all([untilServing(url, signal), services.hub && untilServing(services.hub_url, signal)])
  await buildDashboard(root, report, signal)
  const hub = await askHub(services.hub_url, services.hub_token)
  if (signal.aborted) return
  report({
    type: 'ready',
    url,
    docs_url: `${url}/docs`,
    hub_url: services.hub_url,
    own_hub: services.hub !== undefined,
    agent: env['AGENT_NAME'] || null,
    ...hub,
    database: databasePath(env['DATABASE_URL'] || 'sqlite:///./data/orchestrator.db'),
  })
}

/** Any answer to `/health` will do: a service that is degraded serves. */
async function untilServing(url: string, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const answer = await fetch(new URL('/health', url), { signal }).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer !== undefined) return
    await setTimeout(POLL_MS)
  }
}
