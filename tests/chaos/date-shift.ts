/**
 * Loaded before a service, makes its wall clock jump every 100 ms: by hours, days and years, back and forth. Timers
 * are not touched, as they are not by a clock that somebody sets.
 */
const HOUR_MS = 3_600_000
const SHIFTS_MS = [0, HOUR_MS, -HOUR_MS, 24 * HOUR_MS, -24 * HOUR_MS, 365 * 24 * HOUR_MS, -365 * 24 * HOUR_MS, -500]
const JUMP_EVERY_MS = 100

const Steady = Date
const now = () => Steady.now() + (SHIFTS_MS[Math.floor(performance.now() / JUMP_EVERY_MS) % SHIFTS_MS.length] ?? 0)

class JumpingDate extends Steady {
  constructor(...given: [] | [number | string]) {
    super(given.length === 0 ? now() : given[0])
  }

  static override now(): number {
    return now()
  }
}

globalThis.Date = JumpingDate as DateConstructor
