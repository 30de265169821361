import {
  type AttemptId,
  type Budget,
  type BudgetPage,
  type FeatureId,
  type LiftBudget,
  ServiceError,
} from '@orchestrator/contract'

import type { Asker } from './privileges.ts'
import type { Clock, PhaseQueue, WorkflowStore } from './ports.ts'
import * as sentences from './sentences.ts'

export interface BudgetRecord {
  name: string
  spent_usd: number
  /** Counts once it was lifted: null is none. */
  limit_usd: number | null
  lifted_at: string | null
  lifted_by: string | null
  reason: string | null
}

export type BudgetLift = Pick<BudgetRecord, 'name' | 'limit_usd' | 'reason'> & { lifted_at: string; lifted_by: string }

export interface BudgetStore {
  findBudgets(names: readonly string[]): Promise<BudgetRecord[]>
  /** Budgets of features of which at least so much was spent, the dearest first. */
  listDearest(at_least_usd: number, limit: number): Promise<BudgetRecord[]>
  /** Whose phase this is, and whether anybody has begun it. */
  findPhase(id: AttemptId): Promise<{ feature_id: FeatureId; tries: number } | undefined>
}

export const budgetOf = {
  feature: (id: FeatureId) => `feature:${id}`,
  /** `day` as in `2030-01-31`. */
  day: (day: string) => `day:${day}`,
}

export interface BudgetsOptions {
  store: WorkflowStore
  budgets: BudgetStore
  queue: Pick<PhaseQueue, 'lookAgain'>
  clock: Clock
  /** Of one feature, and of all on one day; undefined: no limit. */
  feature_usd: number | undefined
  daily_usd: number | undefined
  onError: (error: unknown) => void
}

const WARNS_FROM = 0.8
/** Listed at most. */
const LISTED_MAX = 100
/** How often those that wait are looked at: another replica may have lifted a budget, or a day is over. */
const LOOK_MS = 15_000
/** Remembered of those that wait; more are found with them. */
const WAITING_MAX = 1_000

/** Holds back phases that would begin beyond a budget. What runs goes on, and nobody waits who has none. */
export class Budgets {
  readonly #o: BudgetsOptions
  readonly #closing = new AbortController()
  /** Budgets for which phases wait, as far as this process has met them. */
  readonly #awaited = new Set<string>()
  #looking: Promise<void> | undefined

  constructor(o: BudgetsOptions) {
    this.#o = o
  }

  /** Why this phase must wait; undefined when it may begin, and when it has begun before. */
  async findHold(id: AttemptId): Promise<string | undefined> {
    const { feature_usd, daily_usd, budgets } = this.#o
    if (feature_usd === undefined && daily_usd === undefined) return undefined
    const phase = await budgets.findPhase(id)
    if (phase === undefined || phase.tries > 0) return undefined
    const used = await this.#findAll([this.#today(), budgetOf.feature(phase.feature_id)])
    const spent = used.find(({ state }) => state === 'paused')
    if (spent === undefined) return undefined
    if (this.#awaited.size < WAITING_MAX) this.#awaited.add(spent.name)
    this.#looking ??= this.#look()
    return sentences.budgetSpent(spent)
  }

  /** Today's, and those of features that are nearly or wholly used up. */
  async list(): Promise<BudgetPage> {
    const { budgets, feature_usd } = this.#o
    const today = await this.#find(this.#today())
    const dearest = feature_usd === undefined ? [] : await budgets.listDearest(feature_usd * WARNS_FROM, LISTED_MAX)
    return { today, items: dearest.map((record) => this.#budgetOf(record)), next_cursor: null }
  }

  ofFeature(id: FeatureId): Promise<Budget> {
    return this.#find(budgetOf.feature(id))
  }

  /** From now on there is another limit, or none; what waits goes on. Throws FEATURE_NOT_FOUND. */
  async lift({ feature_id, reason, ...body }: LiftBudget, asker: Asker): Promise<Budget> {
    const limit_usd = body.limit_usd ?? null
    const { store, clock, queue } = this.#o
    const now = clock.now().toISOString()
    const name = feature_id === undefined ? this.#today() : budgetOf.feature(feature_id)
    await store.write(async (tx) => {
      if (feature_id !== undefined && (await tx.findFeature(feature_id)) === undefined)
        throw new ServiceError('FEATURE_NOT_FOUND', sentences.unknownFeature(feature_id))
      await tx.liftBudget({ name, limit_usd, reason, lifted_at: now, lifted_by: asker.name })
      await tx.recordAct({ by: asker, action: 'budget.lifted', subject: name, details: { limit_usd }, created_at: now })
    })
    await queue.lookAgain()
    return this.#find(name)
  }

  /** What health has to say of it. */
  async listTroubles(): Promise<string[]> {
    if (this.#o.daily_usd === undefined && this.#o.feature_usd === undefined) return []
    const waited = [...this.#awaited].filter((name) => name.startsWith('feature:'))
    const [today, waiting] = await Promise.all([this.#find(this.#today()), this.#findAll(waited)])
    const features = waiting.filter(({ state }) => state === 'paused').length
    return [
      ...(today.state === 'free' ? [] : [sentences.dayNearlySpent(today)]),
      ...(features === 0 ? [] : [sentences.featuresWait(features)]),
    ]
  }

  async stop(): Promise<void> {
    this.#closing.abort()
    await this.#looking
  }

  /** While anything waits: whether there is room by now. */
  async #look(): Promise<void> {
    const { clock, onError } = this.#o
    while (this.#awaited.size > 0) {
      await clock.sleep(LOOK_MS, this.#closing.signal).catch(() => {})
      if (this.#closing.signal.aborted) return
      await this.#goOn().catch(onError)
    }
    this.#looking = undefined
  }

  /** Hands out again what waited for budgets that have room. A day that is over has, whatever was spent on it. */
  async #goOn(): Promise<void> {
    const today = this.#today()
    const names = [...this.#awaited]
    const paused = await this.#findAll(names.filter((name) => name === today || name.startsWith('feature:')))
    const still = new Set(paused.filter(({ state }) => state === 'paused').map(({ name }) => name))
    const free = names.filter((name) => !still.has(name))
    if (free.length === 0) return
    // Before what is handed out now can be held back again, and added anew.
    for (const name of free) this.#awaited.delete(name)
    try {
      await this.#o.queue.lookAgain()
    } catch (error) {
      for (const name of free) this.#awaited.add(name)
      throw error
    }
  }

  async #find(name: string): Promise<Budget> {
    const [found = unspent(name)] = await this.#o.budgets.findBudgets([name])
    return this.#budgetOf(found)
  }

  async #findAll(names: readonly string[]): Promise<Budget[]> {
    const found = names.length === 0 ? [] : await this.#o.budgets.findBudgets(names)
    return names.map((name) => this.#budgetOf(found.find((record) => record.name === name) ?? unspent(name)))
  }

  #budgetOf(record: BudgetRecord): Budget {
    const usual = record.name.startsWith('day:') ? this.#o.daily_usd : this.#o.feature_usd
    const limit_usd = record.lifted_at === null ? (usual ?? null) : record.limit_usd
    const used = limit_usd === null ? 0 : record.spent_usd / limit_usd
    const state = used >= 1 ? 'paused' : used >= WARNS_FROM ? 'warning' : 'free'
    return { ...record, limit_usd, state }
  }

  #today(): string {
    return budgetOf.day(this.#o.clock.now().toISOString().slice(0, 10))
  }
}

function unspent(name: string): BudgetRecord {
  return { name, spent_usd: 0, limit_usd: null, lifted_at: null, lifted_by: null, reason: null }
}
