import { monitorEventLoopDelay, performance } from 'node:perf_hooks'

import type { Looked, Measured } from './metrics.ts'

export const HTTP_SECONDS = 'http_request_duration_seconds'

/** Which route answered how fast; streams are not among them, for they last as long as somebody listens. */
export const HTTP_METRICS: readonly Measured[] = [
  {
    name: HTTP_SECONDS,
    help: 'Answers by route and status; an unknown path is the route "unknown"',
    labels: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
  },
]

/** Looks at the event loop this often; a shorter interval would cost an idle process more. */
const RESOLUTION_MS = 100

export interface EventLoopWatch {
  /** The longest that the loop was held up in about the last ten seconds, in milliseconds. */
  latest(): number
  metrics: readonly Looked[]
  stop(): void
}

const WINDOW_MS = 10_000

/** How late the event loop runs: what every answer waits for, whatever the database does. */
export function watchEventLoop(): EventLoopWatch {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  const recent = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  recent.enable()
  let before = 0
  const window = setInterval(() => {
    before = lateness(recent.max)
    recent.reset()
  }, WINDOW_MS).unref()
  let used = performance.eventLoopUtilization()
  return {
    latest: () => Math.max(before, lateness(recent.max)) * 1000,
    metrics: [
      {
        name: 'event_loop_lag_seconds',
        help: 'How much later than asked the event loop came round, since the last look',
        labels: ['quantile'],
        read: () => {
          const samples = [50, 99].map((percent) => ({
            labels: { quantile: String(percent / 100) },
            value: lateness(delay.percentile(percent)),
          }))
          const max = { labels: { quantile: '1' }, value: lateness(delay.max) }
          delay.reset()
          return [...samples, max]
        },
      },
      {
        name: 'event_loop_utilization_ratio',
        help: 'Share of the time in which the event loop was busy, since the last look',
        read: () => {
          const now = performance.eventLoopUtilization()
          const { utilization } = performance.eventLoopUtilization(now, used)
          used = now
          return [{ value: utilization }]
        },
      },
    ],
    stop() {
      clearInterval(window)
      delay.disable()
      recent.disable()
    },
  }
}

/** From a sample in nanoseconds, which counts the asked interval in; in seconds. */
function lateness(nanoseconds: number): number {
  return Math.max(0, nanoseconds / 1e9 - RESOLUTION_MS / 1000)
}

export const PROCESS_METRICS: readonly Looked[] = [
  {
    name: 'process_resident_memory_bytes',
    help: 'Memory of the process in RAM',
    read: () => [{ value: process.memoryUsage.rss() }],
  },
  {
    name: 'process_cpu_seconds_total',
    help: 'Processor time of the process',
    kind: 'counter',
    read: () => {
      const { user, system } = process.cpuUsage()
      return [{ value: (user + system) / 1e6 }]
    },
  },
  {
    name: 'process_start_time_seconds',
    help: 'When the process started, in seconds since 1970',
    read: () => [{ value: performance.timeOrigin / 1000 }],
  },
]
