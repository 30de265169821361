import { fileURLToPath } from 'node:url'

import { ServiceError, type HubAgent, type HubAgents } from '@orchestrator/contract'

import type { AgentProfile, AgentRegistry, AgentSandbox } from '../core/ports.ts'
import { findProgram, findVersion, listSearchPaths } from './discovery.ts'
import { NETWORK, type LaunchProfile } from './launch-profile.ts'
import { AccessError, findAccess } from './model-access.ts'
import { PROXY_VARIABLES } from './network-watch.ts'
import { LAUNCH_PROFILES } from './profiles.ts'
import { describeSandboxState, listReadOnly, probeSandbox, type SandboxState } from './sandbox.ts'

export interface AgentRegistryOptions {
  /** The agent that somebody named (AGENT_NAME); unset: the demo agent, for a real one costs money and acts. */
  named: string | undefined
  env: NodeJS.ProcessEnv
  sandbox: 'auto' | 'off'
  /** Launch profiles of the user's own; one of a known name takes its place. */
  own_profiles?: readonly LaunchProfile[]
  /** Folders to look for programs in; default: the hub's own agents, this project's packages, PATH. */
  search_paths?: string[]
}

/** The registry, and what a person should know about the walls around its agents. */
export interface InstalledAgents extends AgentRegistry {
  /** Sentences for `GET /health`; empty while no real agent can be run. */
  describeSandbox(): string[]
}

interface Entry {
  listed: Omit<HubAgent, 'default'>
  /** Left out when it cannot be used. Throws AccessError for a model that cannot be chosen. */
  start?(model: string | undefined): AgentProfile
}

const DEMO: AgentProfile = {
  name: 'demo',
  title: 'Offline demo agent',
  command: [process.execPath, fileURLToPath(new URL('../demo-agent/main.ts', import.meta.url))],
  env: {},
  home_files: {},
  mode: null,
  mcp_transport: null,
  memory_mb: 110,
  install: null,
}

/** What the hub's own environment may tell the demo agent; see its main.ts. */
const DEMO_SETTINGS = ['DEMO_AGENT_PACE_MS', 'DEMO_AGENT_DATE']

function pick(env: NodeJS.ProcessEnv, name: string): [string, string][] {
  const value = env[name]
  return value === undefined || value === '' ? [] : [[name, value]]
}

/** Looks for every agent that there is a launch profile of, now and by `refresh`. Starts none of them. */
export async function createAgentRegistry(o: AgentRegistryOptions): Promise<InstalledAgents> {
  const folders = o.search_paths ?? listSearchPaths(process.cwd(), o.env['PATH'])
  const sandbox = await probeSandbox({ setting: o.sandbox, env: o.env })
  const own = o.own_profiles ?? []
  const replaced = new Set(own.map(({ name }) => name))
  const profiles = [...LAUNCH_PROFILES.filter(({ name }) => !replaced.has(name)), ...own]
  const named = o.named ?? DEMO.name
  const look = async (): Promise<Map<string, Entry>> => {
    const real = await Promise.all(profiles.map(async (launch) => await findAgent(launch, folders, sandbox, o.env)))
    const found = new Map([describeDemo(o.env), ...real].map((entry) => [entry.listed.name, entry]))
    if (!found.has(named)) found.set(named, describeUnknown(named, [...found.keys()]))
    return found
  }
  let entries = await look()
  let looking: Promise<void> | undefined

  return {
    getAgent(name, model) {
      const entry = entries.get(name === 'default' ? named : name)
      if (entry === undefined) {
        throw new ServiceError(
          'AGENT_NOT_FOUND',
          `There is no agent "${name}". Known are ${[...entries.keys()].join(', ')}.`,
        )
      }
      if (entry.start === undefined) throw new ServiceError('AGENT_UNAVAILABLE', describeRemedy(entry.listed))
      try {
        return entry.start(model)
      } catch (error) {
        if (error instanceof AccessError) throw new ServiceError('AGENT_UNAVAILABLE', error.message)
        throw error
      }
    },
    async refresh() {
      looking ??= look()
        .then((found) => void (entries = found))
        .finally(() => (looking = undefined))
      await looking
    },
    list(): HubAgents {
      const items = [...entries.values()].map(({ listed }) => ({ ...listed, default: listed.name === named }))
      return { items, default: named }
    },
    describeSandbox() {
      return describeSandboxState(
        sandbox,
        [...entries.values()].flatMap(({ listed, start }) =>
          listed.name === DEMO.name ? [] : (start?.(undefined) ?? []),
        ),
      )
    },
  }
}

async function findAgent(
  launch: LaunchProfile,
  folders: readonly string[],
  sandbox: SandboxState,
  env: NodeJS.ProcessEnv,
): Promise<Entry> {
  const { name, title, install } = launch
  const takes_model = launch.models.some(({ model_variable }) => model_variable !== null)
  const program = await findProgram(launch.program, folders)
  if (program === undefined) {
    const reason = `${title} is not installed: there is no program "${launch.program}" in ./data/agents, in node_modules or on PATH.`
    return { listed: { name, title, takes_model, install, available: false, version: null, reason } }
  }
  const version = await findVersion(program)
  const unavailable = (reason: string): Entry => ({
    listed: { name, title, takes_model, install: null, available: false, version, reason },
  })
  if (sandbox.kind === 'missing') return unavailable(sandbox.reason)
  const walls: AgentSandbox | undefined =
    sandbox.kind === 'off'
      ? undefined
      : {
          program: sandbox.program,
          read_only: [...(await listReadOnly(program)), ...(launch.read_only ?? [])],
          network: launch.network,
        }
  const start = (model: string | undefined) => describeStart({ launch, program, walls, env, model })
  try {
    start(undefined)
  } catch (error) {
    if (error instanceof AccessError) return unavailable(error.message)
    throw error
  }
  return { listed: { name, title, takes_model, install, available: true, version, reason: null }, start }
}

function describeStart(o: {
  launch: LaunchProfile
  /** Absolute. */
  program: string
  walls: AgentSandbox | undefined
  env: NodeJS.ProcessEnv
  model: string | undefined
}): AgentProfile {
  const { launch, walls } = o
  const walled = walls?.network === 'none'
  const { env, home_files, endpoint } = findAccess(launch, { env: o.env, walled, chosen: o.model })
  const passed = [...launch.pass_env, ...(walled ? [] : NETWORK)].flatMap((variable) => pick(o.env, variable))
  const network = walled && launch.heeds_proxy !== false ? PROXY_VARIABLES : {}
  return {
    name: launch.name,
    title: launch.title,
    command: [o.program, ...launch.arguments],
    env: { ...Object.fromEntries(passed), ...network, ...env },
    home_files,
    mode: walled ? (launch.sandbox_mode ?? launch.mode) : launch.mode,
    mcp_transport: launch.mcp_transport,
    memory_mb: launch.memory_mb,
    install: launch.install,
    ...(walls !== undefined && { sandbox: { ...walls, ...(endpoint !== undefined && { model: endpoint }) } }),
  }
}

function describeDemo(env: NodeJS.ProcessEnv): Entry {
  const { name, title } = DEMO
  return {
    listed: { name, title, takes_model: false, install: null, available: true, version: null, reason: null },
    start: () => ({ ...DEMO, env: Object.fromEntries(DEMO_SETTINGS.flatMap((name) => pick(env, name))) }),
  }
}

function describeUnknown(name: string, known: readonly string[]): Entry {
  const reason = `AGENT_NAME is "${name}", and there is no such agent. Known are ${known.join(', ')}.`
  return {
    listed: { name, title: name, install: null, available: false, version: null, reason },
  }
}

function describeRemedy(agent: Omit<HubAgent, 'default'>): string {
  const reason = agent.reason ?? `The agent "${agent.name}" cannot be used here.`
  return agent.install === null ? reason : `${reason} Install it with "${agent.install}".`
}
