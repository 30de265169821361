import { pause } from './pause.ts'
import type { Log } from './run-invocation.ts'
import type { InvocationStore } from './store.ts'

/** Events of finished invocations are kept this long. */
const EVENTS_DAYS = 30
const DAY_MS = 86_400_000
const LOOK_MS = 3_600_000
/** Rows of one commit, and the pause after it: whoever writes meanwhile notices nothing. */
const BATCH = 1_000
const PAUSE_MS = 50

/** Removes, at the start and every hour, what is older than it is kept; whoever starts it stops it. */
export interface Retention {
  start(): void
  /** Resolves when nothing is written any more; the next start goes on. */
  stop(): Promise<void>
}

export function createRetention(o: { store: Pick<InvocationStore, 'deleteEvents'>; now(): Date; log: Log }): Retention {
  const stopping = new AbortController()
  let working = Promise.resolve()
  /** Of what finished before, nothing is left: the invocations themselves stay, and need not be looked through again. */
  let since = ''

  async function removeExpired(): Promise<void> {
    const before = new Date(o.now().getTime() - EVENTS_DAYS * DAY_MS).toISOString()
    while ((await o.store.deleteEvents({ since, before }, BATCH)) === BATCH) {
      await pause(PAUSE_MS, stopping.signal)
      if (stopping.signal.aborted) return
    }
    since = before
  }

  async function work(): Promise<void> {
    while (!stopping.signal.aborted) {
      await removeExpired().catch((error: unknown) =>
        o.log.warn({ err: error }, 'old events could not be removed; it is tried again in an hour'),
      )
      await pause(LOOK_MS, stopping.signal)
    }
  }

  return {
    start() {
      working = work()
    },
    async stop() {
      stopping.abort()
      await working
    },
  }
}
