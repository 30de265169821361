import { isAbsolute } from 'node:path'

import { nameSchema } from '@orchestrator/contract'
import * as z from 'zod'

import type { LaunchProfile } from './acp/launch-profile.ts'
import { readSettingsFile } from './settings-file.ts'

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

const FILE = {
  variable: 'AGENTS_FILE',
  default_name: 'agents.yaml',
  page: 'docs/agents.md',
  schema: fileSchema,
}

/** The user's own launch profiles: those of `path`, or of `agents.yaml` in `folder`. Throws StartupError. */
export async function readAgentsFile(path: string | undefined, folder: string): Promise<LaunchProfile[]> {
  return (await readSettingsFile(FILE, path, folder))?.settings.agents.map(toProfile) ?? []
}

function toProfile({ title, mcp_transport, model, ...agent }: z.infer<typeof profileSchema>): LaunchProfile {
  return {
    ...agent,
    title: title ?? agent.name,
    mcp_transport: mcp_transport === 'http' ? 'http' : null,
    models: model === null ? [] : [model],
  }
}
