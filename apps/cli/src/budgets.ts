import { liftBudgetSchema, type Budget, type BudgetPage } from '@orchestrator/contract'

import { askService, type Outputs, type ServiceFlags } from './ask-service.ts'
import { EXIT, type ExitCode } from './exit-codes.ts'
import { withoutControls } from './log-line.ts'

export interface LiftFlags extends ServiceFlags {
  feature?: string
  limit?: string
  reason: string
}

export function showBudgets(flags: ServiceFlags, outputs: Outputs): Promise<ExitCode> {
  return askService(flags, outputs, (client) => client.listBudgets(), textOfAll)
}

export function liftBudget({ feature, limit, reason, ...flags }: LiftFlags, outputs: Outputs): Promise<ExitCode> {
  const body = liftBudgetSchema.safeParse({
    ...(feature !== undefined && { feature_id: feature }),
    ...(limit !== undefined && { limit_usd: Number(limit) }),
    reason,
  })
  if (!body.success) {
    for (const { path, message } of body.error.issues) outputs.error.write(`${path.join('.')}: ${message}\n`)
    return Promise.resolve(EXIT.usage)
  }
  return askService(flags, outputs, (client) => client.liftBudget(body.data), textOf)
}

function textOfAll({ today, items }: BudgetPage): string {
  return [today, ...items].map(textOf).join('')
}

function textOf({ name, spent_usd, limit_usd, state, lifted_by, reason }: Budget): string {
  const limit = limit_usd === null ? 'no limit' : `$${limit_usd.toFixed(2)}`
  const lifted = lifted_by === null ? '' : `, lifted by ${lifted_by}: ${reason}`
  return withoutControls(`${state.padEnd(7)}  $${spent_usd.toFixed(2)} of ${limit}  ${name}${lifted}`) + '\n'
}
