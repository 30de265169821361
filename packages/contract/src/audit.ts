import * as z from 'zod'

import { ERROR_CODES } from './errors.ts'
import { pageOf, timestampSchema } from './ids.ts'

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
