import { setTimeout as sleep } from 'node:timers/promises'

import { readEvents } from '../../services/orchestrator/tests/event-reader.ts'

/** A watcher that comes back after every break with the last id it has, as a browser does. */
export interface EventFollower {
  /** Every event that arrived, by its sequence. */
  sequences: number[]
  /** Where it came to, one after the other. */
  places: string[]
  /** How often it had to come back. */
  returns(): number
  /** Resolves when it has come so many times. */
  untilCome(times: number): Promise<void>
  /** Resolves when it has this sequence or a later one. */
  until(sequence: number): Promise<void>
  leave(): Promise<void>
}

const AGAIN_MS = 20

/** `url` is asked anew each time: it may be another replica. */
export function followEvents(url: () => string, path: string): EventFollower {
  const sequences: number[] = []
  const places: string[] = []
  const leaving = new AbortController()
  let reader: Awaited<ReturnType<typeof readEvents>> | undefined

  const follow = async () => {
    while (!leaving.signal.aborted) {
      const last = sequences.at(-1) ?? 0
      const place = url()
      reader = await readEvents(`${place}${path}?after=0`, { 'last-event-id': String(last) }).catch(() => undefined)
      if (reader?.status !== 200) {
        await reader?.leave()
        reader = undefined
        await sleep(AGAIN_MS)
        continue
      }
      places.push(place)
      await reader.ended
      sequences.push(...reader.events.map((event) => event.sequence))
    }
  }
  const following = follow()
  const current = () => reader?.events.at(-1)?.sequence ?? 0
  return {
    sequences,
    places,
    returns: () => places.length - 1,
    async untilCome(times) {
      while (places.length < times) await sleep(AGAIN_MS)
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
