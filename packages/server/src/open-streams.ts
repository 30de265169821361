import { ServiceError } from '@orchestrator/contract'

/** One event stream that somebody listens to. */
export interface OpenStream {
  end(): void
  /** A sign of life, so that both sides notice a dead connection. */
  beat(): void
}

export interface OpenStreamsOptions {
  /** In all; default 10,000. */
  max?: number | undefined
  /** With one key; default 100. Who needs none, on loopback, has no such limit. */
  max_per_key?: number | undefined
  /** Between two signs of life of one stream; default 15. */
  heartbeat_seconds?: number | undefined
}

const DEFAULT_MAX = 10_000
const DEFAULT_MAX_PER_KEY = 100
const HEARTBEAT_SECONDS = 15
/** The beats of all streams are spread over so many moments: thousands of writes at once would hold up everybody. */
const SLOTS = 30

/** The event streams that are open at a server: bounded, kept alive by one timer, and ended with it. */
export class OpenStreams {
  readonly #max: number
  readonly #max_per_key: number
  readonly #slot_ms: number
  readonly #slots = Array.from({ length: SLOTS }, () => new Set<OpenStream>())
  readonly #by_key = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #turn = 0
  #size = 0

  constructor(o: OpenStreamsOptions) {
    this.#max = o.max ?? DEFAULT_MAX
    this.#max_per_key = o.max_per_key ?? DEFAULT_MAX_PER_KEY
    this.#slot_ms = ((o.heartbeat_seconds ?? HEARTBEAT_SECONDS) * 1000) / SLOTS
  }

  get size(): number {
    return this.#size
  }

  /** Answers what to call when it is over. Throws UNAVAILABLE, RATE_LIMITED. */
  add(stream: OpenStream, key_id: string | null): () => void {
    this.assertRoom(key_id)
    // The emptiest: streams that come together must not beat together for ever.
    const slot = this.#slots.reduce((least, other) => (other.size < least.size ? other : least))
    slot.add(stream)
    this.#size++
    if (key_id !== null) this.#by_key.set(key_id, (this.#by_key.get(key_id) ?? 0) + 1)
    this.#timer ??= setInterval(() => this.#beat(), this.#slot_ms).unref()
    return () => {
      if (!slot.delete(stream)) return
      this.#size--
      if (key_id !== null) this.#forget(key_id)
      if (this.#size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    }
  }

  /** Throws what `add` would. */
  assertRoom(key_id: string | null): void {
    if (this.#size >= this.#max)
      throw new ServiceError(
        'UNAVAILABLE',
        `This service holds ${this.#max} event streams, which is its limit. Try again in a moment, or ask another replica.`,
      )
    if (key_id !== null && (this.#by_key.get(key_id) ?? 0) >= this.#max_per_key)
      throw new ServiceError(
        'RATE_LIMITED',
        `${this.#max_per_key} event streams are open with this key, which is the limit. Close one, or use another key.`,
      )
  }

  endAll(): void {
    for (const slot of this.#slots) for (const stream of slot) stream.end()
  }

  #forget(key_id: string): void {
    const left = (this.#by_key.get(key_id) ?? 1) - 1
    if (left === 0) this.#by_key.delete(key_id)
    else this.#by_key.set(key_id, left)
  }

  #beat(): void {
    this.#turn = (this.#turn + 1) % SLOTS
    this.#slots[this.#turn]?.forEach((stream) => stream.beat())
  }
}
