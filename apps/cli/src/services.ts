import { randomBytes } from 'node:crypto'
import { join } from 'node:path'

import { isAtLeast, isLogLevel, type LogLevel } from './log-line.ts'
import type { Reporter } from './reporter.ts'
import { hostFor, reachableUrl } from './service-url.ts'
import { supervise, type SupervisedService } from './supervisor.ts'

export type ServiceName = 'orchestrator' | 'agent-hub'

export interface ServicesOptions {
  /** The folder that holds `services/`. */
  root: string
  env: NodeJS.ProcessEnv
  watch: boolean
  /** Log lines below this level are not reported. */
  least: LogLevel
  report: Reporter
}

export interface Services {
  hub: SupervisedService | undefined
  orchestrator: SupervisedService | undefined
  hub_url: string
  hub_token: string
  all: SupervisedService[]
}

/**
 * One helper thread: less memory while idle (bench/idle.ts), for little speed under load. So are small nurseries, the
 * smallest for the hub; the orchestrator, which may have thousands of callers, would be moving objects all the time.
 */
const NODE_FLAGS: Readonly<Record<ServiceName, readonly string[]>> = {
  orchestrator: ['--v8-pool-size=1', '--max-semi-space-size=8'],
  'agent-hub': ['--v8-pool-size=1', '--max-semi-space-size=2'],
}

/** Starts the hub, unless `AGENT_HUB_URL` names another, and the orchestrator. */
export async function startServices(options: ServicesOptions): Promise<Services> {
  const { env } = options
  const foreign_hub = env['AGENT_HUB_URL'] ?? ''
  const hub_token = env['AGENT_HUB_TOKEN'] || (foreign_hub === '' ? randomBytes(32).toString('hex') : '')
  const shared = {
    // Code is stripped of its types and compiled once, not at every start: that saves time, and memory too.
    NODE_COMPILE_CACHE: join(options.root, 'node_modules/.cache/compiled'),
    // The demo agent is done in an instant; a person wants to see it at work.
    DEMO_AGENT_PACE_MS: '150',
    ...env,
    AGENT_HUB_TOKEN: hub_token,
    LOG_LEVEL: serviceLogLevel(env['LOG_LEVEL'] ?? ''),
  }

  if (foreign_hub !== '') {
    const orchestrator = start('orchestrator', 'PORT', shared, options)
    return { hub: undefined, orchestrator, hub_url: foreign_hub, hub_token, all: [orchestrator] }
  }
  const hub = start('agent-hub', 'HUB_PORT', shared, options)
  // Both start at once; only a port that the system chooses has to be waited for.
  const port = env['HUB_PORT'] || '8001'
  const hub_url =
    port === '0'
      ? await Promise.race([hub.url.then(reachableUrl), hub.ended.then(() => undefined)])
      : `http://${hostFor(env['HUB_HOST'])}:${port}`
  if (hub_url === undefined) return { hub, orchestrator: undefined, hub_url: '', hub_token, all: [hub] }
  const orchestrator = start('orchestrator', 'PORT', { ...shared, AGENT_HUB_URL: hub_url }, options)
  return { hub, orchestrator, hub_url, hub_token, all: [hub, orchestrator] }
}

function start(service: ServiceName, port_variable: string, env: NodeJS.ProcessEnv, options: ServicesOptions) {
  const { root, watch, least, report } = options
  return supervise(
    { main: join(root, 'services', service, 'src/main.ts'), flags: NODE_FLAGS[service], env, watch, port_variable },
    {
      onLog: (line) => {
        if (isAtLeast(line.level, least)) report({ type: 'log', service, ...line })
      },
      onLine: (text) => report({ type: 'line', service, text }),
      onDeath: (how, restart_in_ms) => report({ type: 'died', service, how, restart_in_ms }),
    },
  )
}

/**
 * The line that tells where a service listens is of level info, so a service logs at least that; what is
 * shown is decided here. A word that is no level is passed on: the service has a sentence for it.
 */
function serviceLogLevel(wish: string): string {
  return isLogLevel(wish) && isAtLeast(wish, 'info') ? 'info' : wish
}
