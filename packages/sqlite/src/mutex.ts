/** First come, first served. Needed only where a reader and the writer share a connection. */
export class Mutex {
  #locked = false
  readonly #waiting: (() => void)[] = []

  async lock(): Promise<void> {
    if (!this.#locked) {
      this.#locked = true
      return
    }
    await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }

  unlock(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#locked = false
    else next()
  }
}
