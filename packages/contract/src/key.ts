import * as z from 'zod'

import { nameSchema, pageOf, timestampSchema } from './ids.ts'

/** What a key may be for. What each may do stands in the table of docs/security.md. */
export const ROLES = ['viewer', 'submitter', 'reviewer', 'hub', 'admin'] as const
export type Role = (typeof ROLES)[number]

/** The public half of a key: it names it in lists and in the history, and opens nothing. */
export const keyIdSchema = z.string().regex(/^[0-9a-f]{12}$/, 'must be the id of a key: 12 hexadecimal digits')

/** Of one key. */
const WORKSPACES_MAX = 100

/** Names that the service writes into the history for itself. */
const RESERVED_NAMES: readonly string[] = ['local', 'orchestrator']

/** Whose key it is. A person may hold several keys under one name: what is theirs goes by it. */
export const keyNameSchema = z
  .string()
  .min(1)
  .max(100)
  .regex(
    /^[\p{L}\p{N}](?:[\p{L}\p{N} ._@-]*[\p{L}\p{N}.])?$/u,
    'must begin with a letter or digit and hold only letters, digits, blanks, `.`, `_`, `@` and `-`',
  )
  .refine((name) => !RESERVED_NAMES.includes(name.toLowerCase()), 'is a name that the service uses for itself')

/** A key without its secret, which is shown once and kept by nobody. */
export const keySchema = z
  .object({
    id: keyIdSchema,
    name: z.string(),
    role: z.enum(ROLES),
    workspaces: z.array(nameSchema).nullable().describe('What it is for, and all that it shows; null: everything'),
    created_at: timestampSchema,
    expires_at: timestampSchema.nullable(),
    revoked_at: timestampSchema.nullable(),
  })
  .meta({ id: 'Key' })
export type Key = z.infer<typeof keySchema>

export const keyPageSchema = pageOf(keySchema).meta({ id: 'KeyPage' })

/** Body of `POST /keys`. */
export const createKeySchema = z
  .strictObject({
    name: keyNameSchema,
    role: z.enum(ROLES),
    workspaces: z
      .array(nameSchema)
      .min(1, 'must name at least one workspace, or be left out for a key to all of them')
      .max(WORKSPACES_MAX)
      .refine((names) => new Set(names).size === names.length, 'must name each workspace once')
      .optional()
      .describe('Only for what is of these workspaces; left out, for all of them, those to come included'),
    expires_at: timestampSchema.optional().describe('Must lie ahead; left out, the key lasts until it is revoked'),
  })
  .meta({ id: 'CreateKey' })
export type CreateKey = z.infer<typeof createKeySchema>

/** Answer of `POST /keys`: the only time that the key itself is told. */
export const createdKeySchema = keySchema
  .extend({ key: z.string().describe('`ok_<id>_<secret>`; nobody can see it again') })
  .meta({ id: 'CreatedKey' })
export type CreatedKey = z.infer<typeof createdKeySchema>

/** Answer of `GET /session`: who asks, as the service sees it. */
export const sessionSchema = z
  .object({
    name: z.string(),
    role: z.enum([...ROLES, 'local']).describe('`local`: on the machine of a service that wants no key'),
    key_id: keyIdSchema.nullable(),
    workspaces: z.array(nameSchema).nullable().describe('What the key is for; null: everything'),
  })
  .meta({ id: 'Session' })
export type Session = z.infer<typeof sessionSchema>
