import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseError } from '@orchestrator/sqlite'
import { Kysely, PostgresDialect } from 'kysely'

import { followEvents, type EventFollower } from './event-follower.ts'
import type { Tables } from './models.ts'
import { isConflict, isConnectionFault, startFault, toServiceError } from './postgres-faults.ts'
import { preparePostgres } from './postgres-migrate.ts'
import { carefulPool, createPool, readingPool } from './postgres-pool.ts'
import { openSignals } from './postgres-signals.ts'
import { transact } from './postgres-transaction.ts'
import type { Session } from './session.ts'

/** Connections of one replica beside the listener's and the queue's. */
const CONNECTIONS = 16
/** How often work is run again that met somebody else's. */
const CONFLICTS_MAX = 10
/** How long a lost server is waited for, in milliseconds: a restart takes about one second. */
const PATIENCE_MS = 10_000

export interface OpenPostgresOptions {
  url: string
  onError: (error: unknown) => void
}

/** Throws a DatabaseError of one line. */
export async function openPostgres({ url, onError }: OpenPostgresOptions): Promise<Session> {
  const address = addressOf(url)
  const sequence = await preparePostgres(url).catch((error: unknown) => {
    const reason = error instanceof DatabaseError ? error.message : startFault(error)
    throw new DatabaseError(`DATABASE_URL: the database ${address} cannot be used, because ${reason}`, { cause: error })
  })
  const pool = createPool(url, CONNECTIONS)
  const read = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: readingPool(pool, patiently) }) })
  const counting = createPool(url, 1, '-c synchronous_commit=off')
  const counters = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: carefulPool(counting) }) })
  const signals = openSignals(url, pool, onError)
  const followers: EventFollower[] = []

  let closing: Promise<void> | undefined
  const close = async () => {
    await Promise.all([signals.close(), ...followers.map((follower) => follower.close())])
    await Promise.all([pool.end(), counting.end()])
  }
  return {
    read,
    write: (fn) => patiently(() => transact(pool, fn)),
    close: () => (closing ??= close()),
    shared: {
      url,
      sequence,
      counters,
      signals,
      followEvents(tell) {
        const follower = followEvents({ read, horizon: sequence.horizon, tell, onError })
        followers.push(follower)
        signals.on(({ kind }) => {
          if (kind === 'events' || kind === 'look') follower.wake()
        })
        return () => {
          follower.wake()
          signals.send('events')
        }
      },
    },
  }
}

/** Runs `fn` again after a conflict or on another connection, within bounds. */
async function patiently<T>(fn: () => Promise<T>): Promise<T> {
  const began = performance.now()
  for (let conflicts = 0; ;) {
    try {
      return await fn()
    } catch (error) {
      if (isConflict(error) && conflicts < CONFLICTS_MAX) {
        conflicts++
        await sleep(Math.random() * 5 * conflicts)
      } else if (isConnectionFault(error) && performance.now() - began < PATIENCE_MS) {
        await sleep(50 + Math.random() * 150)
      } else {
        throw toServiceError(error)
      }
    }
  }
}

/** What a message may show of the URL: never the password, nor parameters, which can hold one. */
function addressOf(url: string): string {
  if (!URL.canParse(url)) {
    throw new DatabaseError('DATABASE_URL is not a database URL: write postgres://user:password@host:5432/database')
  }
  const { username, host, pathname } = new URL(url)
  return `postgres://${username === '' ? '' : `${username}@`}${host}${pathname}`
}
