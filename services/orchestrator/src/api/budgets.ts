import { budgetPageSchema, budgetSchema, liftBudgetSchema } from '@orchestrator/contract'
import { errorResponses, type Server } from '@orchestrator/server'

import type { Budgets } from '../core/budgets.ts'
import { rolesFor } from '../core/privileges.ts'
import { askerOf } from './asker.ts'

/** What agents may cost, seen by everybody, lifted by an admin. */
export function budgetRoutes(app: Server, { budgets }: { budgets: Budgets }): void {
  const tags = ['budgets']

  app.get(
    '/budgets',
    {
      config: { roles: rolesFor('read') },
      schema: {
        tags,
        summary: 'What was spent today, and features that have used 80 % of their budget or more',
        response: { 200: budgetPageSchema, ...errorResponses() },
      },
    },
    () => budgets.list(),
  )

  app.post(
    '/budgets/lift',
    {
      config: { roles: rolesFor('manage_budgets') },
      schema: {
        tags,
        summary: 'Another limit, or none, for a feature or for today; what waits goes on',
        body: liftBudgetSchema,
        response: { 200: budgetSchema, ...errorResponses('FEATURE_NOT_FOUND', 'STORAGE_FULL') },
      },
    },
    (request) => budgets.lift(request.body, askerOf(request)),
  )
}
