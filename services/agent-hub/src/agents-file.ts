import { readFile } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'

import { nameSchema } from '@orchestrator/contract'
import { StartupError } from '@orchestrator/server'
import { parse, YAMLParseError } from 'yaml'
import * as z from 'zod'

import type { LaunchProfile } from './acp/launch-profile.ts'

const DEFAULT_NAME = 'agents.yaml'
/** Names that mean something else to the hub. */
const TAKEN = new Set(['demo', 'default'])

const variable = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable')
  .refine((name) => name !== 'AGENT_HUB_TOKEN', 'is a secret of the hub, which no agent may see')
const relativePath = z
  .string()
  .min(1)
  .refine((path) => !isAbsolute(path) && !path.split('/').includes('..'), 'must be a path within the agent’s HOME')

/** https://yaml.org; the fields are told in docs/agents.md. */
const profileSchema = z.strictObject({
  name: nameSchema.refine((name) => !TAKEN.has(name), 'is taken: choose another name'),
  title: z.string().min(1).max(100).optional(),
  program: z
    .string()
    .min(1)
    .refine((program) => isAbsolute(program) || !program.includes('/'), 'must be a name or an absolute path'),
  arguments: z.array(z.string()).default([]),
  env: z.record(variable, z.string()).default({}),
  pass_env: z.array(variable).default([]),
  home_files: z.record(relativePath, z.string()).default({}),
  mode: z.string().min(1).nullable().default(null),
  mcp_transport: z.enum(['http', 'none']).default('http'),
  model: z
    .strictObject({
      key_variable: variable,
      url_variable: variable.nullable().default(null),
      upstream: z.url({ protocol: /^https?$/, error: 'must be an http or https URL' }),
      header: z.string().regex(/^[A-Za-z0-9-]+$/, 'must be the name of an HTTP header'),
      scheme: z
        .string()
        .regex(/^[A-Za-z0-9-]+$/, 'must be one word, such as Bearer')
        .nullable()
        .default(null),
      model_variable: variable.nullable().default(null),
    })
    .nullable()
    .default(null),
  network: z.enum(['none', 'machine']).default('none'),
  read_only: z.array(z.string().refine((path) => isAbsolute(path), 'must be an absolute path')).default([]),
  memory_mb: z.int().min(1).max(1_000_000).default(500),
  install: z.string().min(1).nullable().default(null),
})

const fileSchema = z.strictObject({
  agents: z
    .array(profileSchema)
    .refine((agents) => new Set(agents.map(({ name }) => name)).size === agents.length, 'must not name an agent twice'),
})

/**
 * The user's own launch profiles. `path` was named; without it `agents.yaml` in `folder` is read, if there is one.
 * Throws a StartupError of one line: file, field and remedy.
 */
export async function readAgentsFile(path: string | undefined, folder: string): Promise<LaunchProfile[]> {
  const place = path ?? join(folder, DEFAULT_NAME)
  let text: string
  try {
    text = await readFile(place, 'utf8')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    if (path === undefined && code === 'ENOENT') return []
    throw new StartupError(`AGENTS_FILE: ${place} cannot be read (${code}): name a file that can, or unset it.`, {
      cause: error,
    })
  }
  const file = fileSchema.safeParse(parseYaml(place, text), { error: describeIssue })
  if (file.success) return file.data.agents.map(toProfile)
  const [issue] = file.error.issues
  throw new StartupError(
    `${place}: ${fieldOf(issue)} ${issue?.message ?? 'is not valid'}. Mend it, or see docs/agents.md for the fields.`,
  )
}

function toProfile({ title, mcp_transport, model, ...agent }: z.infer<typeof profileSchema>): LaunchProfile {
  return {
    ...agent,
    title: title ?? agent.name,
    mcp_transport: mcp_transport === 'http' ? 'http' : null,
    models: model === null ? [] : [model],
  }
}

function parseYaml(place: string, text: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error
    const line = error.linePos?.[0].line
    const what = error.message.split(/ at line |\n/)[0] ?? 'cannot be read'
    throw new StartupError(
      `${place}${line === undefined ? '' : `, line ${line}`}: this is no YAML (${what}). Mend it.`,
      {
        cause: error,
      },
    )
  }
}

/** `agents[0].program`. */
function fieldOf(issue: z.core.$ZodIssue | undefined): string {
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys.slice(0, 1) : []
  const path = [...(issue?.path ?? []), ...unknown]
  if (path.length === 0) return 'The file'
  return path
    .map((part, at) => (typeof part === 'number' ? `[${part}]` : `${at === 0 ? '' : '.'}${String(part)}`))
    .join('')
}

function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === 'unrecognized_keys') return 'is not a known field'
  if (issue.code === 'invalid_type')
    return issue.input === undefined ? 'is required' : `must be of type ${issue.expected}`
  if (issue.code === 'invalid_key') return issue.issues[0]?.message
  if (issue.code === 'invalid_value') return `must be one of ${issue.values.map(String).join(', ')}`
  return undefined
}
