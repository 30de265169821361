/** How long what a key opened may outlive it, at most twice this. */
const INTERVAL_MS = 400

/** Ends what stays open, such as event streams, once its key has expired or was revoked, here or by another replica. */
export class KeyWatch {
  readonly #holders = new Map<string, Set<AbortController>>()
  readonly #listGood: (ids: readonly string[]) => Promise<string[]>
  readonly #onError: (error: unknown) => void
  #timer: NodeJS.Timeout | undefined
  #looking = false

  constructor(listGood: (ids: readonly string[]) => Promise<string[]>, onError: (error: unknown) => void) {
    this.#listGood = listGood
    this.#onError = onError
  }

  /** Aborts as soon as the key is no longer good, or with `leaving`, which must abort some day. */
  follow(key_id: string | null, leaving: AbortSignal): AbortSignal {
    if (key_id === null) return leaving
    const ending = new AbortController()
    const holders = this.#holders.get(key_id) ?? new Set()
    this.#holders.set(key_id, holders.add(ending))
    const leave = () => {
      ending.abort()
      holders.delete(ending)
      if (holders.size === 0) this.#holders.delete(key_id)
      if (this.#holders.size > 0) return
      clearInterval(this.#timer)
      this.#timer = undefined
    }
    leaving.addEventListener('abort', leave, { once: true })
    if (leaving.aborted) leave()
    else this.#timer ??= setInterval(() => void this.#look(), INTERVAL_MS)
    return ending.signal
  }

  async #look(): Promise<void> {
    if (this.#looking) return
    this.#looking = true
    try {
      const watched = [...this.#holders.keys()]
      const good = new Set(await this.#listGood(watched))
      for (const id of watched.filter((one) => !good.has(one))) this.#holders.get(id)?.forEach((one) => one.abort())
    } catch (error) {
      // Without the store no stream has anything to tell either.
      this.#onError(error)
    } finally {
      this.#looking = false
    }
  }
}
