import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'

import { lastOfFeed } from './event-feed.ts'
import type { Tables } from './models.ts'
import type { EventSequence } from './postgres-sequence.ts'

/** Between two looks, in milliseconds: the first, and the most while an old transaction holds events back. */
const PAUSE_MS = 20
const PAUSE_MAX_MS = 250

export interface EventFollowerOptions {
  read: Kysely<Tables>
  horizon: EventSequence['horizon']
  tell: () => void
  onError: (error: unknown) => void
}

export interface EventFollower {
  /** Events were committed, here or elsewhere. */
  wake(): void
  close(): Promise<void>
}

/**
 * Tells when events became readable. That may be later than their commit, with nobody to signal it: an
 * older transaction that appends nothing can hold them back, so it looks again until none is held back.
 */
export function followEvents({ read, horizon, tell, onError }: EventFollowerOptions): EventFollower {
  let told = 0
  let isWanted = false
  let isClosed = false
  let looking: Promise<void> | undefined

  const look = async () => {
    const { last, readable } = await read
      .selectNoFrom([lastOfFeed().as('last'), lastOfFeed(horizon).as('readable')])
      .executeTakeFirstOrThrow()
    if (readable > told) {
      told = readable
      tell()
    }
    return last !== readable
  }

  const follow = async () => {
    let pause = PAUSE_MS
    while (isWanted && !isClosed) {
      isWanted = false
      const isHeldBack = await look().catch((error: unknown) => {
        onError(error)
        return false
      })
      pause = isHeldBack ? Math.min(PAUSE_MAX_MS, pause * 2) : PAUSE_MS
      isWanted ||= isHeldBack
      await sleep(pause)
    }
    looking = undefined
  }

  return {
    wake() {
      isWanted = true
      if (!isClosed) looking ??= follow()
    },
    async close() {
      isClosed = true
      await looking
    },
  }
}
