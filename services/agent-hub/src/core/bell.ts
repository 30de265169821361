/** Wakes those who wait for news of one invocation. The news itself is in the store. */
export interface Bell {
  ring(id: string): void
  /** Every ring from now on counts, also one that comes before `heard` is asked. */
  listen(id: string): { heard(signal: AbortSignal): Promise<void>; stop(): void }
  /** Wakes everybody for good. */
  close(): void
  readonly closed: boolean
}

export function createBell(): Bell {
  const listeners = new Map<string, Set<() => void>>()
  let closed = false

  return {
    ring(id) {
      listeners.get(id)?.forEach((wake) => wake())
    },
    listen(id) {
      let rung = false
      let wake = () => {}
      const onRing = () => {
        rung = true
        wake()
      }
      const others = listeners.get(id) ?? new Set()
      listeners.set(id, others.add(onRing))
      return {
        async heard(signal) {
          if (!rung && !closed && !signal.aborted) {
            const { promise, resolve } = Promise.withResolvers<void>()
            const leave = () => resolve()
            wake = resolve
            signal.addEventListener('abort', leave)
            await promise
            // The signal is a connection's, and hears of thousands of rings.
            signal.removeEventListener('abort', leave)
          }
          rung = false
        },
        stop() {
          others.delete(onRing)
          if (others.size === 0 && listeners.get(id) === others) listeners.delete(id)
        },
      }
    },
    close() {
      closed = true
      for (const wakes of listeners.values()) for (const wake of wakes) wake()
    },
    get closed() {
      return closed
    },
  }
}
