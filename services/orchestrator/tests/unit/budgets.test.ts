import type { Workflow } from '@orchestrator/contract'
import { sql } from 'kysely'
import { expect, it } from 'vitest'

import { budgetOf, Budgets } from '../../src/core/budgets.ts'
import { newId } from '../../src/core/new-id.ts'
import { currentAttempt } from '../../src/core/workflow-steps.ts'
import { createBudgetStore } from '../../src/db/budget-store.ts'
import { createDrivenClock } from '../driven-clock.ts'
import { openEngine } from '../engine.ts'

const LOOK_MS = 15_000

/** Budgets on a database in memory, at noon. */
async function stage(limits: { feature_usd?: number; daily_usd?: number } = { feature_usd: 1, daily_usd: 100 }) {
  const clock = createDrivenClock()
  const engine = await openEngine('sqlite:///:memory:', { clock })
  const errors: unknown[] = []
  let looked = 0
  let isAway = false
  const budgets = new Budgets({
    store: engine.store,
    budgets: createBudgetStore(engine.session),
    queue: {
      lookAgain: async () => {
        if (isAway) throw new Error('The database is away.')
        looked++
      },
    },
    clock,
    feature_usd: limits.feature_usd,
    daily_usd: limits.daily_usd,
    onError: (error) => errors.push(error),
  })
  const today = () => clock.now().toISOString().slice(0, 10)
  return {
    engine,
    clock,
    budgets,
    errors,
    looked: () => looked,
    breakQueue: (is: boolean) => void (isAway = is),
    spend: (workflow: Workflow, usd: number) =>
      engine.store.write((tx) => tx.addSpending(workflow.feature_id, today(), usd)),
    holdOf: (workflow: Workflow) => budgets.findHold(currentAttempt(workflow).id),
  }
}

it('holds nothing back where nobody set a limit', async () => {
  const { engine, spend, holdOf, budgets } = await stage({})
  const workflow = await engine.create()
  await spend(workflow, 1_000)
  expect(await holdOf(workflow)).toBeUndefined()
  expect(await budgets.listTroubles()).toEqual([])
  expect((await budgets.list()).items).toEqual([])
})

it('holds back what has not begun, and nothing else', async () => {
  const { engine, spend, holdOf, budgets } = await stage()
  const [begun, waiting] = [await engine.create(), await engine.create()]
  await engine.machine.attempts.begin(currentAttempt(begun).id)
  for (const workflow of [begun, waiting]) {
    expect(await holdOf(workflow)).toBeUndefined()
    await spend(workflow, 1)
  }
  expect(await holdOf(begun)).toBeUndefined()
  expect(await holdOf(waiting)).toBe(
    `Waits: $1.00 of $1.00 for ${waiting.feature_id} (FEATURE_BUDGET_USD) are spent. It goes on when an admin lifts that (POST /budgets/lift).`,
  )
  expect(await budgets.findHold(newId())).toBeUndefined()
  await budgets.stop()
})

it('looks now and then whether those that wait have room by now', async () => {
  const { engine, clock, spend, holdOf, budgets, looked } = await stage()
  const workflow = await engine.create()
  await spend(workflow, 2)
  expect(await holdOf(workflow)).toContain('$2.00 of $1.00')
  await clock.advance(LOOK_MS)
  await expect.poll(() => clock.waiting()).toBe(1)
  expect(looked()).toBe(0)
  expect(await budgets.listTroubles()).toEqual([expect.stringMatching(/^A feature has spent what one may cost/)])

  // Lifted by another replica, of which this one is told nothing.
  await engine.store.write((tx) =>
    tx.liftBudget({
      name: budgetOf.feature(workflow.feature_id),
      limit_usd: 5,
      reason: null,
      lifted_at: '',
      lifted_by: '',
    }),
  )
  await clock.advance(LOOK_MS)
  await expect.poll(looked).toBe(1)
  expect(await budgets.listTroubles()).toEqual([])
  // With nobody left to wait for, nobody looks.
  expect(clock.waiting()).toBe(0)
})

it('goes on after midnight, whatever was spent on the day before', async () => {
  const { engine, clock, spend, holdOf, budgets, looked } = await stage({ daily_usd: 10 })
  const workflow = await engine.create()
  await spend(workflow, 10)
  expect(await holdOf(workflow)).toContain('for today (DAILY_BUDGET_USD)')
  expect(await budgets.listTroubles()).toEqual([expect.stringContaining('no phase begins until an admin lifts that')])
  clock.jump(12 * 3_600_000)
  await clock.advance(LOOK_MS)
  await expect.poll(looked).toBe(1)
  expect(await holdOf(workflow)).toBeUndefined()
})

it('warns from 80 % on, and counts the features that wait', async () => {
  const { engine, spend, holdOf, budgets } = await stage({ feature_usd: 4, daily_usd: 10 })
  for (const workflow of [await engine.create(), await engine.create()]) {
    await spend(workflow, 4)
    expect(await holdOf(workflow)).toContain('$4.00 of $4.00')
  }
  expect(await budgets.listTroubles()).toEqual([
    '$8.00 of $10.00 for today (DAILY_BUDGET_USD) are spent.',
    expect.stringMatching(/^2 features have spent what one may cost/),
  ])
  await budgets.stop()
})

it('tries again when a look fails', async () => {
  const { engine, clock, spend, holdOf, looked, errors, breakQueue } = await stage({ daily_usd: 10 })
  const workflow = await engine.create()
  await spend(workflow, 10)
  await holdOf(workflow)
  clock.jump(12 * 3_600_000)
  breakQueue(true)
  await clock.advance(LOOK_MS)
  await expect.poll(() => errors).toHaveLength(1)
  breakQueue(false)
  await expect.poll(() => clock.waiting()).toBe(1)
  await clock.advance(LOOK_MS)
  await expect.poll(looked).toBe(1)
})

it('remembers no more than so many that wait, and finds the rest with them', async () => {
  const { engine, clock, holdOf, budgets, looked } = await stage({ feature_usd: 1 })
  const workflows: Workflow[] = []
  for (let count = 0; count < 1_001; count++) workflows.push(await engine.create())
  await engine.session.write((tx) =>
    sql`insert into budgets (name, spent_usd) select 'feature:' || feature_id, 1 from workflows`.execute(tx),
  )
  for (const workflow of workflows) expect(await holdOf(workflow)).toContain('$1.00 of $1.00')
  expect(await budgets.listTroubles()).toEqual([expect.stringMatching(/^1000 features have spent/)])
  await engine.session.write((tx) => sql`update budgets set spent_usd = 0`.execute(tx))
  await clock.advance(LOOK_MS)
  await expect.poll(looked).toBe(1)
  expect(await holdOf(workflows[1_000] as Workflow)).toBeUndefined()
})
