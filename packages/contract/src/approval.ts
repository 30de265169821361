import * as z from 'zod'

import { timestampSchema } from './ids.ts'
import { ROLES } from './key.ts'

/** Roles whose holders approve; what a policy may demand one of. */
export const APPROVING_ROLES = ['reviewer', 'admin'] as const
export type ApprovingRole = (typeof APPROVING_ROLES)[number]

/** While a workflow waits for a review: what its approval takes, and who approved so far. */
export const approvalsSchema = z
  .object({
    required: z.int().positive().describe('So many different people'),
    given: z.array(z.object({ actor: z.string(), role: z.enum([...ROLES, 'local']), created_at: timestampSchema })),
    missing_roles: z.array(z.enum(APPROVING_ROLES)).describe('Somebody of each of these is still needed'),
    four_eyes: z.boolean().describe('Who created the workflow may not approve it'),
  })
  .meta({ id: 'Approvals' })
export type Approvals = z.infer<typeof approvalsSchema>
