import {
  modelNameSchema,
  nameSchema,
  PHASE_SECONDS_MAX,
  WORKFLOW_TYPES,
  type WorkflowType,
} from '@orchestrator/contract'
import { commaList, flag, httpUrl, LOG_LEVELS, readEnvironment, sharedToken, wholeNumber } from '@orchestrator/server'
import * as z from 'zod'

import { FOUR_EYES } from './core/approval-rules.ts'

/** An amount, such as 20 or 12.50. */
const dollars = () =>
  z
    .string()
    .regex(/^\d{1,9}(?:\.\d{1,2})?$/, 'must be an amount in dollars such as 20 or 12.50')
    .transform(Number)
    .refine((usd) => usd > 0, 'must be more than 0, or be left out for no limit')

/** Every variable the service reads; README's table is held against it by tests/unit/docs.test.ts. */
const environmentSchema = z.object({
  DATABASE_URL: z
    .string()
    .regex(
      /^(?:sqlite:\/\/\/.*[^/]|postgres(?:ql)?:\/\/.+)$/,
      'must be sqlite:///relative/path.db, sqlite:////absolute/path.db or postgres://…',
    )
    .default('sqlite:///./data/orchestrator.db'),
  AGENT_HUB_URL: httpUrl().default('http://localhost:8001'),
  AGENT_HUB_TOKEN: sharedToken().optional(),
  HOST: z.string().default('127.0.0.1'),
  PORT: wholeNumber(0, 65_535).default(8000),
  ALLOWED_HOSTS: commaList().default([]),
  TRUST_PROXY: flag().default(false),
  AGENT_NAME: nameSchema.optional(),
  AGENT_NAME_SPECIFY: nameSchema.optional(),
  AGENT_NAME_PLAN: nameSchema.optional(),
  AGENT_NAME_TASKS: nameSchema.optional(),
  AGENT_NAME_IMPLEMENT: nameSchema.optional(),
  AGENT_MODEL: modelNameSchema.optional(),
  AGENT_MODEL_SPECIFY: modelNameSchema.optional(),
  AGENT_MODEL_PLAN: modelNameSchema.optional(),
  AGENT_MODEL_TASKS: modelNameSchema.optional(),
  AGENT_MODEL_IMPLEMENT: modelNameSchema.optional(),
  PHASE_EXECUTION: z.enum(['hub', 'external'], { error: 'must be hub or external' }).default('hub'),
  MAX_CONCURRENT_PHASES: wholeNumber(1, 100_000).default(4),
  MAX_CONCURRENT_PHASES_PER_AGENT: wholeNumber(1, 100_000).optional(),
  PHASE_TIMEOUT_SECONDS: wholeNumber(1, PHASE_SECONDS_MAX).default(3600),
  PHASE_RETRY_LIMIT: wholeNumber(1, 1000).default(10),
  PHASE_RETRY_BASE_MS: wholeNumber(1, 600_000).default(500),
  MAX_RUNNING_WORKFLOWS_PER_WORKSPACE: wholeNumber(1, 100_000).optional(),
  FEATURE_BUDGET_USD: dollars().optional(),
  DAILY_BUDGET_USD: dollars().optional(),
  MAX_REWORKS: wholeNumber(0, 1000).default(5),
  EVENT_RETENTION_DAYS: wholeNumber(0, 36_500).default(90),
  MAX_EVENT_STREAMS: wholeNumber(1, 11_000).default(10_000),
  MAX_EVENT_STREAMS_PER_KEY: wholeNumber(1, 11_000).default(100),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl().optional(),
  REQUESTS_PER_MINUTE: wholeNumber(1, 1_000_000).default(6000),
  FOUR_EYES: z.enum(FOUR_EYES, { error: `must be one of ${FOUR_EYES.join(', ')}` }).default('auto'),
  AUDIT_DIR: z.string().min(1).optional(),
  LOG_LEVEL: z.enum(LOG_LEVELS, { error: `must be one of ${LOG_LEVELS.join(', ')}` }).default('info'),
})

export interface Config {
  database_url: string
  agent_hub_url: string
  agent_hub_token: string | undefined
  host: string
  port: number
  allowed_hosts: string[]
  trust_proxy: boolean
  /** By type; a type without a name leaves the choice to the hub. */
  agents: Partial<Record<WorkflowType, string>>
  /** By type; a type without one leaves the model to the agent. */
  models: Partial<Record<WorkflowType, string>>
  phase_execution: 'hub' | 'external'
  max_concurrent_phases: number
  /** Undefined: no agent has a limit of its own. */
  max_concurrent_phases_per_agent: number | undefined
  phase_timeout_seconds: number
  phase_retry_limit: number
  phase_retry_base_ms: number
  max_reworks: number
  /** Undefined: as many as there are. */
  max_running_workflows_per_workspace: number | undefined
  /** What agents may cost for one feature, and for all on one day; undefined: no limit. */
  feature_budget_usd: number | undefined
  daily_budget_usd: number | undefined
  /** 0: for ever. */
  event_retention_days: number
  max_event_streams: number
  max_event_streams_per_key: number
  /** Where traces go; undefined makes none. */
  otlp_endpoint: string | undefined
  /** Of one key, in this process. */
  requests_per_minute: number
  /** Whether who created a workflow may approve it, where no policy says. */
  four_eyes: (typeof FOUR_EYES)[number]
  /** Where checkpoints of the history are signed into; undefined leaves it unsigned. */
  audit_dir: string | undefined
  log_level: (typeof LOG_LEVELS)[number]
}

/** Throws a StartupError that names the variable and what it must be. */
export function readConfig(env: NodeJS.ProcessEnv): Config {
  const values = readEnvironment(environmentSchema, env)
  return {
    database_url: values.DATABASE_URL,
    agent_hub_url: values.AGENT_HUB_URL,
    agent_hub_token: values.AGENT_HUB_TOKEN,
    host: values.HOST,
    port: values.PORT,
    allowed_hosts: values.ALLOWED_HOSTS,
    trust_proxy: values.TRUST_PROXY,
    agents: byType('AGENT_NAME', values),
    models: byType('AGENT_MODEL', values),
    phase_execution: values.PHASE_EXECUTION,
    max_concurrent_phases: values.MAX_CONCURRENT_PHASES,
    max_concurrent_phases_per_agent: values.MAX_CONCURRENT_PHASES_PER_AGENT,
    phase_timeout_seconds: values.PHASE_TIMEOUT_SECONDS,
    phase_retry_limit: values.PHASE_RETRY_LIMIT,
    phase_retry_base_ms: values.PHASE_RETRY_BASE_MS,
    max_reworks: values.MAX_REWORKS,
    max_running_workflows_per_workspace: values.MAX_RUNNING_WORKFLOWS_PER_WORKSPACE,
    feature_budget_usd: values.FEATURE_BUDGET_USD,
    daily_budget_usd: values.DAILY_BUDGET_USD,
    event_retention_days: values.EVENT_RETENTION_DAYS,
    max_event_streams: values.MAX_EVENT_STREAMS,
    max_event_streams_per_key: values.MAX_EVENT_STREAMS_PER_KEY,
    otlp_endpoint: values.OTEL_EXPORTER_OTLP_ENDPOINT,
    requests_per_minute: values.REQUESTS_PER_MINUTE,
    four_eyes: values.FOUR_EYES,
    audit_dir: values.AUDIT_DIR ?? besideDatabase(values.DATABASE_URL),
    log_level: values.LOG_LEVEL,
  }
}

/** A file has its checkpoints beside it; what is in memory only, or on a server, has no such place. */
function besideDatabase(url: string): string | undefined {
  const [, path] = /^sqlite:\/\/\/(.+)$/.exec(url) ?? []
  return path === undefined || path === ':memory:' ? undefined : `${path}.audit`
}

/** `AGENT_NAME_PLAN` counts more for its type than `AGENT_NAME`, which counts for all. */
function byType(
  variable: 'AGENT_NAME' | 'AGENT_MODEL',
  values: z.infer<typeof environmentSchema>,
): Partial<Record<WorkflowType, string>> {
  const entries = WORKFLOW_TYPES.flatMap((type): [WorkflowType, string][] => {
    const value = values[`${variable}_${type.toUpperCase() as Uppercase<WorkflowType>}`] ?? values[variable]
    return value === undefined ? [] : [[type, value]]
  })
  return Object.fromEntries(entries)
}
