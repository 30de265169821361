const WINDOW_MS = 60_000

/** Bounds how often one key may ask within a minute, in this process. */
export class RequestQuota {
  readonly #used = new Map<string, { count: number; since_ms: number }>()
  readonly per_minute: number
  readonly #now: () => Date

  constructor(per_minute: number, now: () => Date) {
    this.per_minute = per_minute
    this.#now = now
  }

  /** Notes a request. Answers the seconds to wait once there were too many, else undefined. */
  take(key_id: string): number | undefined {
    const now_ms = this.#now().getTime()
    const known = this.#used.get(key_id)
    const elapsed_ms = known === undefined ? WINDOW_MS : now_ms - known.since_ms
    // A clock that was set back begins a new window too.
    if (known === undefined || elapsed_ms >= WINDOW_MS || elapsed_ms < 0) {
      this.#used.set(key_id, { count: 1, since_ms: now_ms })
      return undefined
    }
    known.count++
    return known.count > this.per_minute ? Math.ceil((WINDOW_MS - elapsed_ms) / 1000) : undefined
  }
}
