import type { Clock } from '../src/core/ports.ts'

/** A clock that moves only when it is told to. */
export interface DrivenClock extends Clock {
  /** Lets so many milliseconds pass, and wakes whoever waited for a moment in between, in order. */
  advance(ms: number): Promise<void>
  /** Sets the wall, waiting for nothing: also backwards. */
  jump(ms: number): void
  /** How many wait. */
  waiting(): number
}

export function createDrivenClock(start = Date.parse('2026-01-31T12:00:00.000Z')): DrivenClock {
  let wall = start
  let monotonic = 0
  const sleepers = new Set<{ at: number; wake: () => void }>()
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  return {
    now: () => new Date(wall),
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal.throwIfAborted()
        const sleeper = {
          at: monotonic + ms,
          wake: () => {
            sleepers.delete(sleeper)
            resolve()
          },
        }
        sleepers.add(sleeper)
        signal.addEventListener('abort', () => {
          sleepers.delete(sleeper)
          reject(signal.reason as Error)
        })
      }),
    async advance(ms) {
      const end = monotonic + ms
      await settle()
      for (;;) {
        const [first] = [...sleepers].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)
        if (first === undefined) break
        wall += first.at - monotonic
        monotonic = first.at
        first.wake()
        await settle()
      }
      wall += end - monotonic
      monotonic = end
    },
    jump: (ms) => void (wall += ms),
    waiting: () => sleepers.size,
  }
}
