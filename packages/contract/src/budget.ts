import * as z from 'zod'

import { featureIdSchema, timestampSchema } from './ids.ts'

/** What agents may cost: in all on one day (UTC), and for one feature. */
export const budgetSchema = z
  .object({
    name: z.string().describe('`day:2030-01-31` or `feature:001-log-in`'),
    spent_usd: z.number().nonnegative().describe('As far as agents tell what they cost'),
    limit_usd: z.number().nullable().describe('Null: none'),
    state: z.enum(['free', 'warning', 'paused']).describe('`warning` from 80 % on; `paused`: no phase begins'),
    lifted_at: timestampSchema.nullable(),
    lifted_by: z.string().nullable(),
    reason: z.string().nullable().describe('Why it was lifted'),
  })
  .meta({ id: 'Budget' })
export type Budget = z.infer<typeof budgetSchema>

/** Answer of `GET /budgets`: today's, and features that have used 80 % or more of theirs, the dearest first. */
export const budgetPageSchema = z
  .object({ today: budgetSchema, items: z.array(budgetSchema), next_cursor: z.null() })
  .meta({ id: 'BudgetPage' })
export type BudgetPage = z.infer<typeof budgetPageSchema>

/** Body of `POST /budgets/lift`. */
export const liftBudgetSchema = z
  .strictObject({
    feature_id: featureIdSchema.optional().describe('Left out: the budget of today'),
    limit_usd: z.number().positive().max(1_000_000_000).optional().describe('The limit from now on; left out: none'),
    reason: z.string().min(1).max(2000),
  })
  .meta({ id: 'LiftBudget' })
export type LiftBudget = z.infer<typeof liftBudgetSchema>
