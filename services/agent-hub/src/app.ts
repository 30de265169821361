import { access, constants, mkdir } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join } from 'node:path'

import {
  createServer,
  listen,
  listSecrets,
  metricsRoute,
  openTracing,
  StartupError,
  watchEventLoop,
  type RouteAccess,
  type RunningService,
} from '@orchestrator/server'
import { DatabaseError, openDatabase } from '@orchestrator/sqlite'
import type { Logger } from 'pino'

import packageJson from '../package.json' with { type: 'json' }
import { createAgentDriver, createAgentRegistry, createVerifier, probeSandbox } from './acp/index.ts'
import { readAgentsFile } from './agents-file.ts'
import { createAuthentication } from './api/authenticate.ts'
import { ORCHESTRATORS } from './api/callers.ts'
import { registerConversations } from './api/conversations.ts'
import { registerHub } from './api/hub.ts'
import { registerInvocations } from './api/invocations.ts'
import { registerInvoke } from './api/invoke.ts'
import type { Config } from './config.ts'
import { cleanUp } from './core/clean-up.ts'
import { createAsks } from './core/asks.ts'
import { createEscalations } from './core/escalations.ts'
import { createFeatures } from './core/features.ts'
import { createInvocations, DEFAULT_WORKSPACE } from './core/invocations.ts'
import { createLanes } from './core/lanes.ts'
import { createRetention } from './core/retention.ts'
import { createSecrets } from './core/secrets.ts'
import { createSessions } from './core/sessions.ts'
import type { TurnLimits, Verifier } from './core/ports.ts'
import { createConversationStore } from './db/conversation-store.ts'
import { createInvocationStore } from './db/invocation-store.ts'
import { migrations } from './db/migrations.ts'
import type { Tables } from './db/tables.ts'
import { createHealthCheck } from './health.ts'
import { createHubMetrics, createTelemetry } from './telemetry.ts'
import { createSpecKit } from './spec-kit/index.ts'
import { ensureDemoRepository } from './workspace/demo-repository.ts'
import { createHomes } from './workspace/homes.ts'
import { openRepository, type Repository } from './workspace/repository.ts'
import { WorkspaceError } from './workspace/workspace-error.ts'
import { createWorkspaces } from './workspace/workspaces.ts'
import { readWorkspacesFile } from './workspaces-file.ts'

const LIMITS: TurnLimits = {
  initialize_ms: 30_000,
  session_ms: 60_000,
  idle_ms: 300_000,
  turn_ms: 3_600_000,
  cancel_grace_ms: 10_000,
}

/** The only place where the hub's parts are joined. Resolves once it answers. Throws StartupError. */
export async function startHub(
  config: Config,
  logger: Logger,
  /** Ends the process with an error, in order. */
  fail: () => void,
): Promise<RunningService & { url: string; access: RouteAccess[] }> {
  const own_profiles = await readAgentsFile(config.agents_file, process.cwd())
  await prepareDataFolder(config.data_dir)
  const repository = await openWorkspace(config)
  const further = await readWorkspacesFile(config.workspaces_file, process.cwd())
  const database = await openHubDatabase(config, logger, fail)
  try {
    const homes = createHomes(config.data_dir)
    const store = createInvocationStore(database, homes.directory)
    const conversations = createConversationStore(database, homes.directory)
    const registry = await createAgentRegistry({
      named: config.default_agent,
      env: process.env,
      sandbox: config.sandbox,
      own_profiles,
    })
    const secrets = createSecrets(listSecrets(Object.assign({}, ...own_profiles.map(({ env }) => env), process.env)))
    const memory_mb = config.memory_mb ?? halfOfMemory()
    const driver = createAgentDriver({ logger, secrets, memory_mb })
    const workspaces = createWorkspaces({
      sources: [{ name: DEFAULT_WORKSPACE, path: repository.path }, ...further],
      data_dir: config.data_dir,
      settings: config.remotes,
      endAgentsIn: driver.endKeptIn,
    })
    const lanes = createLanes({ max_running: config.max_running, memory_mb })
    const tracing = await openTracing({
      service: 'agent-hub',
      version: packageJson.version,
      endpoint: config.otlp_endpoint,
    })
    const event_loop = watchEventLoop()
    const metrics = createHubMetrics({ event_loop, lanes, countStreams: () => app.open_streams.size })
    const parts = {
      secrets,
      store,
      conversations,
      workspaces,
      registry,
      driver,
      spec_kit: createSpecKit(),
      verifier: await prepareVerifier(config),
      limits: LIMITS,
      homeDirectory: homes.directory,
      now: () => new Date(),
      log: logger,
      lanes,
      telemetry: createTelemetry({ metrics, tracing, logger }),
    }
    const invocations = createInvocations(parts)
    const retention = createRetention(parts)
    const asks = createAsks({ ...parts, confidence_min: config.ask_confidence })
    const escalations = createEscalations({ ...parts, asks })
    const sessions = createSessions({ ...parts, asks, removeHome: homes.remove })
    const runs_unwalled = config.sandbox === 'off' && registry.list().default !== 'demo'
    const checkHealth = createHealthCheck({
      version: packageJson.version,
      store,
      workspaces,
      registry,
      sandbox_warnings: runs_unwalled ? registry.describeSandbox() : [],
    })

    const app = await createServer({
      name: 'agent-hub',
      title: 'Agent Hub',
      version: packageJson.version,
      description: packageJson.description,
      logger,
      allowed_hosts: config.allowed_hosts,
      host: config.host,
      port: config.port,
      trust_proxy: config.trust_proxy,
      authenticate: createAuthentication(config.token),
      roles_required: true,
      tracing,
    })
    metricsRoute(app, metrics, ORCHESTRATORS)
    registerInvoke(app, invocations)
    registerInvocations(app, invocations)
    registerConversations(app, { asks, escalations, sessions, conversations })
    registerHub(app, { registry, workspaces, features: createFeatures(parts), store, checkHealth })

    // Before anything new can come in, so that what runs is told from what was left behind.
    await invocations.recover()
    await cleanUp({ ...parts, homes })
    await invocations.resume()
    const url = await listen(app, { ...config, variables: { host: 'HUB_HOST', port: 'HUB_PORT' } }).catch(
      async (error: unknown) => {
        await invocations.close()
        throw error
      },
    )
    retention.start()
    logger.info({ url, workspace: repository.path, default_agent: registry.list().default }, 'Agent Hub listening')
    return {
      url,
      access: app.listAccess(),
      async close() {
        // Together: requests wait for invocations, and both have little time.
        await Promise.all([invocations.close(), retention.stop(), app.close()])
        await database.close()
        event_loop.stop()
        await tracing.close()
      },
    }
  } catch (error) {
    await database.close()
    throw error
  }
}

async function prepareDataFolder(data_dir: string): Promise<void> {
  try {
    for (const folder of ['workspaces', 'homes']) await mkdir(join(data_dir, folder), { recursive: true, mode: 0o700 })
    await access(data_dir, constants.W_OK)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new StartupError(
      `HUB_DATA_DIR: ${data_dir} cannot be written (${reason}): give this user the right, or name another folder.`,
      { cause: error },
    )
  }
}

/** MiB that agents may take together, where nobody said otherwise. A container may have less than the machine. */
function halfOfMemory(): number {
  const limit = process.constrainedMemory()
  const bytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem()
  return Math.floor(bytes / 2 / 1024 / 1024)
}

async function prepareVerifier({ verify_command, ...config }: Config): Promise<Verifier | null> {
  if (verify_command === undefined) return null
  return createVerifier({
    command: verify_command,
    timeout_ms: config.verify_timeout_seconds * 1000,
    sandbox: await probeSandbox({ setting: config.sandbox, env: process.env }),
    homes: join(config.data_dir, 'homes'),
    env: process.env,
  })
}

async function openWorkspace(config: Config): Promise<Repository> {
  try {
    if (config.workspace !== undefined) return await openRepository(config.workspace)
    const demo = join(config.data_dir, 'demo-workspace')
    await ensureDemoRepository(demo)
    return await openRepository(demo)
  } catch (error) {
    if (error instanceof WorkspaceError) throw new StartupError(error.message, { cause: error })
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      throw new StartupError(
        'The Agent Hub needs git, and there is none on PATH: install it, for example with "apt-get install git".',
        { cause: error },
      )
    }
    throw error
  }
}

async function openHubDatabase(config: Config, logger: Logger, fail: () => void) {
  try {
    return await openDatabase<Tables>({
      path: config.database_path,
      migrations,
      variable: 'HUB_DATABASE_URL',
      onFatal: (error) => {
        logger.fatal({ err: error }, 'the disk failed; the hub ends so that it can be started anew')
        fail()
      },
    })
  } catch (error) {
    if (error instanceof DatabaseError) throw new StartupError(error.message, { cause: error })
    throw error
  }
}
