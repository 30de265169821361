import * as z from 'zod'

import { ERROR_CODES } from './errors.ts'
import { pageOf, timestampSchema } from './ids.ts'
import { jsonObjectSchema } from './workflow.ts'

/** An attempt that was refused. */
export const denialSchema = z
  .object({
    sequence: z.int(),
    actor: z.string().nullable().describe('Null where nobody was known'),
    key_id: z.string().nullable().describe('Of the key that was shown, good or not'),
    request_id: z.string().nullable(),
    address: z.string().nullable(),
    method: z.string(),
    path: z.string(),
    code: z.enum(ERROR_CODES),
    created_at: timestampSchema,
  })
  .meta({ id: 'Denial' })
export const denialPageSchema = pageOf(denialSchema).meta({ id: 'DenialPage' })

/** What an admin did beside deciding on workflows: keys, policies, the queue, budgets, erasures. In a chain of its own. */
export const adminActSchema = z
  .object({
    sequence: z.int(),
    action: z.enum([
      'key.created',
      'key.revoked',
      'policy.set',
      'policy.reset',
      'queue.paused',
      'queue.resumed',
      'budget.lifted',
      'words.erased',
    ]),
    subject: z.string().describe('To what: the id of a key, `plan/phase_1`, `feature:001-log-in`'),
    details: jsonObjectSchema,
    actor: z.string(),
    key_id: z.string().nullable(),
    request_id: z.string().nullable(),
    address: z.string().nullable(),
    created_at: timestampSchema,
    hash: z.string().describe('SHA-256 over this act and the one before it'),
  })
  .meta({ id: 'AdminAct' })
export type AdminAct = z.infer<typeof adminActSchema>
export const adminActPageSchema = pageOf(adminActSchema).meta({ id: 'AdminActPage' })

/** Body of `POST /audit/erase`. */
export const eraseWordsSchema = z
  .strictObject({ name: z.string().min(1).max(100).describe('As it stands in the history') })
  .meta({ id: 'EraseWords' })
export type EraseWords = z.infer<typeof eraseWordsSchema>

/** What was erased of somebody. */
export const erasureSchema = z
  .object({
    pseudonym: z.string().describe('Stands from now on where their name stood, but in the chain'),
    history_rows: z.int().nonnegative().describe('Rows of the history whose words are gone'),
    comments: z.int().nonnegative(),
    answers: z.int().nonnegative(),
  })
  .meta({ id: 'Erasure' })
export type Erasure = z.infer<typeof erasureSchema>
