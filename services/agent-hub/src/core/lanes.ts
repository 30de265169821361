/** Work in lanes: one at a time in each, a bounded number in all, oldest first. */
export interface Lanes {
  add(lane: string, id: string): void
  /** Takes out what has not begun. Answers whether it was still waiting. */
  remove(id: string): boolean
  /** Begins nothing more. Resolves when all that runs has ended. */
  close(): Promise<void>
}

/** `run` must not reject. */
export function createLanes(o: { max_running: number; run: (id: string) => Promise<void> }): Lanes {
  const waiting: { lane: string; id: string }[] = []
  const busy = new Set<string>()
  const running = new Set<Promise<void>>()
  let closed = false

  const begin = (lane: string, id: string) => {
    busy.add(lane)
    const ended = o.run(id).finally(() => {
      busy.delete(lane)
      running.delete(ended)
      advance()
    })
    running.add(ended)
  }

  const advance = () => {
    while (!closed && running.size < o.max_running) {
      const next = waiting.findIndex((entry) => !busy.has(entry.lane))
      const [entry] = next === -1 ? [] : waiting.splice(next, 1)
      if (entry === undefined) return
      begin(entry.lane, entry.id)
    }
  }

  return {
    add(lane, id) {
      waiting.push({ lane, id })
      advance()
    },
    remove(id) {
      const index = waiting.findIndex((entry) => entry.id === id)
      if (index === -1) return false
      waiting.splice(index, 1)
      return true
    },
    async close() {
      closed = true
      await Promise.all(running)
    },
  }
}
