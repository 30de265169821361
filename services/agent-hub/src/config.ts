import { resolve } from 'node:path'

import {
  commaList,
  flag,
  httpUrl,
  isLoopback,
  LOG_LEVELS,
  readEnvironment,
  sharedToken,
  StartupError,
  wholeNumber,
} from '@orchestrator/server'
import { DatabaseError, parseSqliteUrl } from '@orchestrator/sqlite'
import { nameSchema } from '@orchestrator/contract'
import * as z from 'zod'

import type { RemoteSettings } from './workspace/remote-url.ts'

const environmentSchema = z.object({
  HUB_HOST: z.string().default('127.0.0.1'),
  HUB_PORT: wholeNumber(0, 65_535).default(8001),
  HUB_DATABASE_URL: z.string().default('sqlite:///./data/agent-hub.db'),
  HUB_DATA_DIR: z.string().default('./data'),
  HUB_SANDBOX: z.enum(['auto', 'off']).default('auto'),
  HUB_MAX_RUNNING: wholeNumber(1, 1000).default(8),
  HUB_MEMORY_MB: wholeNumber(1, 100_000_000).optional(),
  ASK_CONFIDENCE: wholeNumber(0, 100).default(70),
  HUB_PRIVATE_REMOTES: flag().default(false),
  HUB_CREDENTIAL_HELPER: z
    .string()
    .regex(/^(\/[\w./-]+|[a-z][a-z0-9-]*)( --?[\w./=,:-]+)*$/, 'must be a name or an absolute path, with options')
    .optional(),
  WORKSPACE: z.string().optional(),
  WORKSPACES_FILE: z.string().optional(),
  VERIFY_COMMAND: z.string().max(2000).optional(),
  VERIFY_TIMEOUT_SECONDS: wholeNumber(1, 86_400).default(600),
  AGENT_NAME: nameSchema.optional(),
  AGENTS_FILE: z.string().optional(),
  AGENT_HUB_TOKEN: sharedToken().optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl().optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS).default('info'),
  ALLOWED_HOSTS: commaList().default([]),
  TRUST_PROXY: flag().default(false),
})

/** What the hub is told by its environment, checked. Paths are absolute. */
export interface Config {
  host: string
  /** 0 lets the system choose. */
  port: number
  /** Path of the SQLite file, or `:memory:`. */
  database_path: string
  data_dir: string
  sandbox: 'auto' | 'off'
  max_running: number
  /** What running agents may take together; undefined: half of the machine. */
  memory_mb: number | undefined
  /** 0 to 100: of an answer below it a person is asked. */
  ask_confidence: number
  /** Undefined: the demo repository. */
  workspace: string | undefined
  /** Where further repositories are named; undefined: in `workspaces.yaml`, if there is one. */
  workspaces_file: string | undefined
  remotes: RemoteSettings
  /** Where launch profiles of the user's own are; undefined: in `agents.yaml`, if there is one. */
  agents_file: string | undefined
  /** A line for the shell, run after `implement`; undefined: none. */
  verify_command: string | undefined
  verify_timeout_seconds: number
  /** The agent that somebody named as the hub's default. */
  default_agent: string | undefined
  /** Undefined: open, which only loopback may be. */
  token: string | undefined
  /** Where traces go; undefined makes none. */
  otlp_endpoint: string | undefined
  log_level: (typeof LOG_LEVELS)[number]
  allowed_hosts: string[]
  trust_proxy: boolean
}

/** Throws a StartupError that names the variable and the remedy. */
export function readConfig(env: NodeJS.ProcessEnv, cwd: string): Config {
  const given = readEnvironment(environmentSchema, env)
  if (!isLoopback(given.HUB_HOST) && given.AGENT_HUB_TOKEN === undefined) {
    throw new StartupError(
      `HUB_HOST is ${given.HUB_HOST}, which other machines can reach, and who reaches the hub can run commands here: set AGENT_HUB_TOKEN to a long secret, or HUB_HOST to 127.0.0.1.`,
    )
  }
  return {
    host: given.HUB_HOST,
    port: given.HUB_PORT,
    database_path: readDatabasePath(given.HUB_DATABASE_URL, cwd),
    data_dir: resolve(cwd, given.HUB_DATA_DIR),
    sandbox: given.HUB_SANDBOX,
    max_running: given.HUB_MAX_RUNNING,
    memory_mb: given.HUB_MEMORY_MB,
    ask_confidence: given.ASK_CONFIDENCE,
    workspace: given.WORKSPACE === undefined ? undefined : resolve(cwd, given.WORKSPACE),
    workspaces_file: given.WORKSPACES_FILE === undefined ? undefined : resolve(cwd, given.WORKSPACES_FILE),
    remotes: {
      allow_private: given.HUB_PRIVATE_REMOTES,
      credential_helper: given.HUB_CREDENTIAL_HELPER,
      proxy: readProxy(env),
    },
    agents_file: given.AGENTS_FILE === undefined ? undefined : resolve(cwd, given.AGENTS_FILE),
    verify_command: given.VERIFY_COMMAND,
    verify_timeout_seconds: given.VERIFY_TIMEOUT_SECONDS,
    default_agent: given.AGENT_NAME,
    token: given.AGENT_HUB_TOKEN,
    otlp_endpoint: given.OTEL_EXPORTER_OTLP_ENDPOINT,
    log_level: given.LOG_LEVEL,
    allowed_hosts: given.ALLOWED_HOSTS,
    trust_proxy: given.TRUST_PROXY,
  }
}

/** As curl spells them, whichever way the operator did. */
function readProxy(env: NodeJS.ProcessEnv): Record<string, string> {
  const proxy = env['HTTPS_PROXY'] ?? env['https_proxy'] ?? ''
  if (proxy === '') return {}
  return { https_proxy: proxy, no_proxy: env['NO_PROXY'] ?? env['no_proxy'] ?? '' }
}

function readDatabasePath(url: string, cwd: string): string {
  try {
    const path = parseSqliteUrl(url)
    return path === ':memory:' ? path : resolve(cwd, path)
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error
    throw new StartupError(`HUB_DATABASE_URL: ${error.message}`, { cause: error })
  }
}
