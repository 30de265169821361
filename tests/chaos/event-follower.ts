import { setTimeout as sleep } from 'node:timers/promises'

import { readEvents } from '../../services/orchestrator/tests/event-reader.ts'

/** A watcher that comes back after every break with the last id it has, as a browser does. */
export interface EventFollower {
  /** Every event that arrived, by its sequence. */
  sequences: number[]
  /** How often it had to come back. */
  returns(): number
  /** Resolves when it has come so many times. */
  untilCome(times: number): Promise<void>
  /** Resolves when it has this sequence or a later one. */
  until(sequence: number): Promise<void>
  leave(): Promise<void>
}

const AGAIN_MS = 20

export function followEvents(url: () => string): EventFollower {
  const sequences: number[] = []
  const leaving = new AbortController()
  let connections = 0
  let reader: Awaited<ReturnType<typeof readEvents>> | undefined

  const follow = async () => {
    while (!leaving.signal.aborted) {
      const last = sequences.at(-1) ?? 0
      reader = await readEvents(`${url()}/events?after=0`, { 'last-event-id': String(last) }).catch(() => undefined)
      if (reader === undefined) {
        await sleep(AGAIN_MS)
        continue
      }
      connections++
      await reader.ended
      sequences.push(...reader.events.map((event) => event.sequence))
    }
  }
  const following = follow()
  const current = () => reader?.events.at(-1)?.sequence ?? 0
  return {
    sequences,
    returns: () => connections - 1,
    async untilCome(times) {
      while (connections < times) await sleep(AGAIN_MS)
    },
    async until(sequence) {
      while ((sequences.at(-1) ?? 0) < sequence && current() < sequence) await sleep(AGAIN_MS)
    },
    async leave() {
      leaving.abort()
      await reader?.leave()
      await following
    },
  }
}
