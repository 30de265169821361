import {
  createMetrics,
  HTTP_METRICS,
  PROCESS_METRICS,
  type EventLoopWatch,
  type Metrics,
  type Tracing,
} from '@orchestrator/server'
import type { Logger } from 'pino'

import type { Lanes } from './core/lanes.ts'
import type { Telemetry } from './core/ports.ts'

const INVOCATIONS = 'hub_invocation_duration_seconds'

export interface MetricsSources {
  event_loop: EventLoopWatch
  lanes: Lanes
  countStreams(): number
}

export function createHubMetrics(o: MetricsSources): Metrics {
  return createMetrics(
    [
      ...HTTP_METRICS,
      {
        name: INVOCATIONS,
        help: 'Invocations by how they ended; "queued" were interrupted and run again',
        labels: ['agent', 'workflow_type', 'status'],
        buckets: [0.1, 0.5, 1, 5, 15, 60, 180, 600, 1800, 3600, 14_400],
      },
    ],
    [
      ...PROCESS_METRICS,
      ...o.event_loop.metrics,
      { name: 'hub_running', help: 'Agents at work', read: () => [{ value: o.lanes.load().running }] },
      {
        name: 'hub_waiting',
        help: 'What waits for an agent to be free',
        read: () => [{ value: o.lanes.load().waiting }],
      },
      {
        name: 'hub_memory_megabytes',
        help: 'What the agents at work are counted for',
        read: () => [{ value: o.lanes.load().memory_mb }],
      },
      { name: 'hub_event_streams', help: 'Streams of events that are open', read: () => [{ value: o.countStreams() }] },
    ],
  )
}

/** What the core tells of its work, as figures, spans and lines of the log. */
export function createTelemetry(o: { metrics: Metrics; tracing: Tracing; logger: Logger }): Telemetry {
  return {
    begin({ id: invocation_id, traceparent: parent, agent, workflow_type, workflow_id, feature_id }) {
      const about = {
        invocation_id,
        agent,
        workflow_type,
        feature_id,
        ...(workflow_id !== undefined && { workflow_id }),
      }
      const span = o.tracing.start(`agent ${agent}`, { parent, attributes: about })
      const began = performance.now()
      return {
        traceparent: span.traceparent,
        ended(status) {
          const duration_ms = Math.round(performance.now() - began)
          o.metrics.note(INVOCATIONS, { agent, workflow_type, status }, duration_ms / 1000)
          span.set({ status })
          span.end(status === 'failed' ? 'the invocation failed' : undefined)
          o.logger.info({ ...about, status, duration_ms }, 'invocation ended')
        },
      }
    },
  }
}
