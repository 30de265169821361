import type { BudgetPage, Queue } from '@orchestrator/contract'
import {
  createMetrics,
  HTTP_METRICS,
  plainLines,
  PROCESS_METRICS,
  type EventLoopWatch,
  type Looked,
  type Measured,
  type Metrics,
  type Tracing,
} from '@orchestrator/server'
import type { Logger } from 'pino'

import type { Telemetry } from './core/ports.ts'

const TRANSITIONS = 'orchestrator_transitions_total'
const PHASES = 'orchestrator_phase_duration_seconds'
const HUB_ERRORS = 'orchestrator_hub_errors_total'
const BATCHES = 'orchestrator_commit_transactions'

/** What is counted as it happens. */
const MEASURED: readonly Measured[] = [
  ...HTTP_METRICS,
  {
    name: TRANSITIONS,
    help: 'Steps of workflows taken by this process, once they are on disk',
    labels: ['workflow_type', 'trigger', 'from', 'to'],
  },
  {
    name: PHASES,
    help: 'Attempts that this process ran, by how they ended; "unwanted" were let go of',
    labels: ['workflow_type', 'phase', 'agent', 'outcome'],
    buckets: [0.1, 0.5, 1, 5, 15, 60, 180, 600, 1800, 3600, 14_400],
  },
  {
    name: HUB_ERRORS,
    help: 'Calls of the Agent Hub that failed; "transient" ones are tried again',
    labels: ['kind'],
  },
  {
    name: BATCHES,
    help: 'Transactions that shared a commit (SQLite)',
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
  },
]

export interface MetricsSources {
  event_loop: EventLoopWatch
  describeQueue(): Promise<Queue>
  describeReviews(): Promise<{ waiting: number; oldest_at: string | null }>
  countStreams(): number
  listBudgets(): Promise<BudgetPage>
  now(): Date
}

export function createServiceMetrics(o: MetricsSources): Metrics {
  const age = (at: string | null) => (at === null ? 0 : Math.max(0, (o.now().getTime() - Date.parse(at)) / 1000))
  /** One look for all that it tells, however many of them ask in the same moment. */
  const shared = <T>(look: () => Promise<T>) => {
    let looking: Promise<T> | undefined
    return () =>
      (looking ??= look().finally(() => {
        looking = undefined
      }))
  }
  const queue = shared(o.describeQueue)
  const reviews = shared(o.describeReviews)
  const budgets = shared(o.listBudgets)
  const gauge = (name: string, help: string, read: () => Promise<number>): Looked => ({
    name: `orchestrator_${name}`,
    help,
    read: async () => [{ value: await read() }],
  })
  return createMetrics(MEASURED, [
    ...PROCESS_METRICS,
    ...o.event_loop.metrics,
    gauge(
      'queue_waiting',
      'Attempts that wait for a slot, on all replicas; counted to 10,000',
      async () => (await queue()).waiting,
    ),
    gauge('queue_oldest_seconds', 'How long the one at the head of the queue has waited', async () =>
      age((await queue()).oldest_waiting_at),
    ),
    gauge(
      'budget_today_spent_usd',
      'What agents cost today (UTC), as far as they tell',
      async () => (await budgets()).today.spent_usd,
    ),
    gauge(
      'budget_today_limit_usd',
      'What they may cost today; 0: no limit',
      async () => (await budgets()).today.limit_usd ?? 0,
    ),
    gauge('budget_paused', '1 while no phase begins because of it', async () =>
      Number((await budgets()).today.state === 'paused'),
    ),
    gauge('queue_paused', '1 while the queue is paused', async () => Number((await queue()).state === 'paused')),
    gauge(
      'phases_at_work',
      'Attempts handed out, on all replicas; counted to 10,000',
      async () => (await queue()).at_work,
    ),
    gauge(
      'reviews_waiting',
      'Workflows that wait for a review; counted to 10,000',
      async () => (await reviews()).waiting,
    ),
    gauge(
      'reviews_oldest_seconds',
      'How long the longest of them has waited; among the 1,000 oldest workflows',
      async () => age((await reviews()).oldest_at),
    ),
    gauge('event_streams', 'Streams of events that are open at this process', async () => o.countStreams()),
  ])
}

export interface TelemetryOptions {
  metrics: Metrics
  tracing: Tracing
  logger: Logger
}

/** What the core tells of its work, as figures, spans and lines of the log. */
export function createTelemetry({ metrics, tracing, logger }: TelemetryOptions): Telemetry {
  const log = plainLines(logger)
  return {
    stepTaken: ({ workflow_type, trigger, from, to }) =>
      metrics.note(TRANSITIONS, { workflow_type, trigger, from, to }),
    beginPhase({
      workflow: { id: workflow_id, workflow_type, feature_id },
      attempt_id,
      phase,
      number,
      traceparent: parent,
    }) {
      const about = { workflow_id, attempt_id, workflow_type, phase, number }
      const span = tracing.start(`phase ${workflow_type} ${phase}`, {
        attributes: { ...about, feature_id },
        ...(parent !== null && { parent }),
      })
      log.info(about, 'phase begun')
      const began = performance.now()
      return {
        traceparent: span.traceparent,
        hubFailed(error) {
          const kind = error.transient ? 'transient' : 'permanent'
          metrics.note(HUB_ERRORS, { kind })
          log.warn({ ...about, kind, reason: error.message }, 'the Agent Hub failed')
        },
        ended(outcome, agent) {
          const duration_ms = Math.round(performance.now() - began)
          metrics.note(PHASES, { workflow_type, phase, agent, outcome }, duration_ms / 1000)
          span.set({ agent, outcome })
          span.end(outcome === 'failed' ? 'the phase failed' : undefined)
          log.info({ ...about, agent, outcome, duration_ms }, 'phase ended')
        },
      }
    },
  }
}

/** A commit of the embedded store took so many transactions along. */
export function noteBatch(metrics: Metrics, size: number): void {
  metrics.note(BATCHES, {}, size)
}
