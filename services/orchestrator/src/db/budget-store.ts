import type { BudgetStore } from '../core/budgets.ts'
import type { Session } from './session.ts'

export function createBudgetStore({ read }: Session): BudgetStore {
  return {
    findBudgets: (names) => read.selectFrom('budgets').selectAll().where('name', 'in', names).execute(),

    listDearest: (at_least_usd, limit) =>
      read
        .selectFrom('budgets')
        .selectAll()
        .where('spent_usd', '>=', at_least_usd)
        .where('name', 'like', 'feature:%')
        .orderBy('spent_usd', 'desc')
        .limit(limit)
        .execute(),

    findPhase: (id) =>
      read
        .selectFrom('attempts as a')
        .innerJoin('workflows as w', 'w.id', 'a.workflow_id')
        .select(['w.feature_id', 'a.tries'])
        .where('a.id', '=', id)
        .executeTakeFirst(),
  }
}
