import { fileURLToPath } from 'node:url'

import { ServiceError, type HubAgent, type HubAgents } from '@orchestrator/contract'

import type { AgentProfile, AgentRegistry, ModelEndpoint } from '../core/ports.ts'
import { findProgram, findVersion, listSearchPaths } from './discovery.ts'
import { LAUNCH_PROFILES, NETWORK, type LaunchProfile } from './profiles.ts'
import { describeSandboxState, listReadOnly, probeSandbox, SANDBOX_MODEL_URL, type SandboxState } from './sandbox.ts'

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
  profile: AgentProfile | undefined
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
  return value === undefined ? [] : [[name, value]]
}

/** Looks once for every agent that there is a launch profile of. Starts none of them. */
export async function createAgentRegistry(o: AgentRegistryOptions): Promise<InstalledAgents> {
  const folders = o.search_paths ?? listSearchPaths(process.cwd(), o.env['PATH'])
  const sandbox = await probeSandbox({ setting: o.sandbox, env: o.env })
  const own = o.own_profiles ?? []
  const replaced = new Set(own.map(({ name }) => name))
  const profiles = [...LAUNCH_PROFILES.filter(({ name }) => !replaced.has(name)), ...own]
  const real = await Promise.all(profiles.map(async (launch) => await findAgent(launch, folders, sandbox, o.env)))
  const entries = new Map([describeDemo(o.env), ...real].map((entry) => [entry.listed.name, entry]))
  const named = o.named ?? DEMO.name
  if (!entries.has(named)) entries.set(named, describeUnknown(named, [...entries.keys()]))

  return {
    getAgent(name) {
      const entry = entries.get(name === 'default' ? named : name)
      if (entry === undefined) {
        throw new ServiceError(
          'AGENT_NOT_FOUND',
          `There is no agent "${name}". Known are ${[...entries.keys()].join(', ')}.`,
        )
      }
      if (entry.profile !== undefined) return entry.profile
      throw new ServiceError('AGENT_UNAVAILABLE', describeRemedy(entry.listed))
    },
    list(): HubAgents {
      const items = [...entries.values()].map(({ listed }) => ({ ...listed, default: listed.name === named }))
      return { items, default: named }
    },
    describeSandbox() {
      return describeSandboxState(
        sandbox,
        real.flatMap(({ profile }) => profile ?? []),
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
  const program = await findProgram(launch.program, folders)
  if (program === undefined) {
    const reason = `${title} is not installed: there is no program "${launch.program}" in node_modules or on PATH.`
    return { listed: { name, title, install, available: false, version: null, reason }, profile: undefined }
  }
  const version = await findVersion(program)
  if (sandbox.kind === 'missing') {
    const { reason } = sandbox
    return { listed: { name, title, install: null, available: false, version, reason }, profile: undefined }
  }
  const model = sandbox.kind === 'bubblewrap' ? findModel(launch, env) : undefined
  const hidden = new Set(model === undefined ? [] : NETWORK)
  const passed = launch.pass_env.flatMap((variable): [string, string][] => {
    const value = env[variable]
    return value === undefined || value === '' || hidden.has(variable) ? [] : [[variable, value]]
  })
  const profile: AgentProfile = {
    name,
    title,
    command: [program, ...launch.arguments],
    env: { ...launch.env, ...Object.fromEntries(passed), ...model?.env },
    home_files: launch.home_files,
    mode: launch.mode,
    mcp_transport: launch.mcp_transport,
    memory_mb: launch.memory_mb,
    install,
    ...(sandbox.kind === 'bubblewrap' && {
      sandbox: {
        program: sandbox.program,
        read_only: [...(await listReadOnly(program)), ...(launch.read_only ?? [])],
        ...(model !== undefined && { model: model.endpoint }),
      },
    }),
  }
  return { listed: { name, title, install, available: true, version, reason: null }, profile }
}

/** The model behind the hub's gateway, when the hub holds its key. */
function findModel(
  launch: LaunchProfile,
  env: NodeJS.ProcessEnv,
): { endpoint: ModelEndpoint; env: Record<string, string> } | undefined {
  if (launch.model === null) return undefined
  const { key_variable, url_variable, header } = launch.model
  const key = env[key_variable] ?? ''
  const upstream = env[url_variable] || launch.model.upstream
  if (key === '' || !URL.canParse(upstream)) return undefined
  return {
    endpoint: { upstream, headers: { [header]: key } },
    env: { [key_variable]: 'held-by-the-hub', [url_variable]: SANDBOX_MODEL_URL },
  }
}

function describeDemo(env: NodeJS.ProcessEnv): Entry {
  const { name, title } = DEMO
  return {
    listed: { name, title, install: null, available: true, version: null, reason: null },
    profile: { ...DEMO, env: Object.fromEntries(DEMO_SETTINGS.flatMap((name) => pick(env, name))) },
  }
}

function describeUnknown(name: string, known: readonly string[]): Entry {
  const reason = `AGENT_NAME is "${name}", and there is no such agent. Known are ${known.join(', ')}.`
  return {
    listed: { name, title: name, install: null, available: false, version: null, reason },
    profile: undefined,
  }
}

function describeRemedy(agent: Omit<HubAgent, 'default'>): string {
  const reason = agent.reason ?? `The agent "${agent.name}" cannot be used here.`
  return agent.install === null ? reason : `${reason} Install it with: ${agent.install}`
}
