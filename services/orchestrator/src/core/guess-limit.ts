const WINDOW_MS = 60_000
/** Wrong keys of one address within a window before it is told to wait. */
export const WRONG_KEYS_MAX = 60
/** Addresses remembered at once; the oldest is forgotten for a new one. */
export const ADDRESSES_MAX = 10_000

/**
 * Bounds how often one address is told that a key is wrong. No lock: whoever holds a right key is let in
 * whatever others tried from the same address, and with 256 bits there is nothing to be guessed.
 */
export class GuessLimit {
  readonly #wrong = new Map<string, { count: number; since_ms: number }>()
  readonly #now: () => Date

  constructor(now: () => Date) {
    this.#now = now
  }

  /** Notes a wrong key. Answers the seconds to wait once there were too many, else undefined. */
  fail(address: string): number | undefined {
    const now_ms = this.#now().getTime()
    const source = sourceOf(address)
    const known = this.#wrong.get(source)
    const elapsed_ms = known === undefined ? WINDOW_MS : now_ms - known.since_ms
    // A clock that was set back begins a new window too.
    if (known === undefined || elapsed_ms >= WINDOW_MS || elapsed_ms < 0) {
      this.#wrong.delete(source)
      const [oldest] = this.#wrong.keys()
      if (oldest !== undefined && this.#wrong.size >= ADDRESSES_MAX) this.#wrong.delete(oldest)
      this.#wrong.set(source, { count: 1, since_ms: now_ms })
      return undefined
    }
    known.count++
    return known.count > WRONG_KEYS_MAX ? Math.ceil((WINDOW_MS - elapsed_ms) / 1000) : undefined
  }

  get size(): number {
    return this.#wrong.size
  }
}

/** One customer of a provider has a whole /64 of IPv6 addresses, and counts as one. */
function sourceOf(address: string): string {
  const [mapped] = /\d+\.\d+\.\d+\.\d+$/.exec(address) ?? []
  if (mapped !== undefined) return mapped
  const [head = '', tail] = address.split('::')
  const groups = head === '' ? [] : head.split(':')
  const missing = tail === undefined ? 0 : 8 - groups.length - (tail === '' ? 0 : tail.split(':').length)
  return [...groups, ...Array.from({ length: Math.max(0, missing) }, () => '0'), ...(tail ?? '').split(':')]
    .slice(0, 4)
    .join(':')
}
