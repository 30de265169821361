import * as z from 'zod'

import { attemptIdSchema, digestSchema } from './ids.ts'

/** `?from=&to=` of `GET /workflows/{id}/diff`. */
export const attemptDiffQuerySchema = z.strictObject({
  from: attemptIdSchema.describe('The older attempt'),
  to: attemptIdSchema.describe('The newer one'),
})

/** What one attempt's artifacts have that another's have not. */
export const attemptDiffSchema = z
  .object({
    from: attemptIdSchema,
    to: attemptIdSchema,
    files: z.array(
      z.object({
        path: z.string(),
        change: z.enum(['added', 'modified', 'deleted']),
        from_digest: digestSchema.nullable(),
        to_digest: digestSchema.nullable(),
        diff: z.string().nullable().describe('Unified; null when it is no text, or too large'),
        added: z.int().nonnegative().nullable().describe('Lines'),
        removed: z.int().nonnegative().nullable(),
      }),
    ),
  })
  .meta({ id: 'AttemptDiff' })
export type AttemptDiff = z.infer<typeof attemptDiffSchema>
