import type { Clock } from './ports.ts'

/** The system's time. Waiting is by monotonic timers, so that a jump of the wall clock moves nothing. */
export const systemClock: Clock = {
  now: () => new Date(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const stop = () => {
        clearTimeout(timer)
        reject(signal.reason as Error)
      }
      // Longer than a timer can hold (24.8 days) is as good as never.
      const timer = setTimeout(
        () => {
          signal.removeEventListener('abort', stop)
          resolve()
        },
        Math.min(ms, 2 ** 31 - 1),
      )
      signal.addEventListener('abort', stop, { once: true })
    }),
}
