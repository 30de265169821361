import { setTimeout as sleep } from 'node:timers/promises'
import type { AttemptId } from '@orchestrator/contract'
import pg from 'pg'

import { newId } from '../core/new-id.ts'
import { connectionOptions } from './postgres-pool.ts'
import type { Signal, Signals } from './shared-database.ts'

export const CHANNEL = 'orchestrator'

/** How often the listening connection is asked whether it still lives, in milliseconds. */
const HEARTBEAT_MS = 5_000
const RECONNECT_MS = 1_000
/** At most so often does one replica tell the others of its commits, in milliseconds. */
const SEND_EVERY_MS = 20

export interface PostgresSignals extends Signals {
  close(): Promise<void>
}

/**
 * Signals between replicas over LISTEN and NOTIFY. Postgres lets only one transaction with a NOTIFY
 * commit at a time, which would undo the sharing of commits, so that events and work are told after
 * the commit and together. A replica that dies in between leaves its last ones untold; therefore each
 * heartbeat of the listener, and each attempt to connect it again, tells to look.
 */
export function openSignals(url: string, pool: pg.Pool, onError: (error: unknown) => void): PostgresSignals {
  const origin = newId()
  const listeners = new Set<(signal: Signal) => void>()
  const closing = new AbortController()
  const { signal: closed } = closing
  const pending = new Set<string>()
  let sending: Promise<void> | undefined
  const tell = (signal: Signal) => listeners.forEach((listener) => listener(signal))

  const flush = async () => {
    while (pending.size > 0 && !closed.aborted) {
      const payloads = [...pending]
      pending.clear()
      await pool
        .query('select pg_notify($1, payload) from unnest($2::text[]) as payload', [CHANNEL, payloads])
        .catch(onError)
      await sleep(SEND_EVERY_MS)
    }
    sending = undefined
  }

  const receive = (payload: string) => {
    const [kind, from, attempt_id] = payload.split(' ')
    if (from === origin) return
    if (kind === 'events' || kind === 'work' || kind === 'queue') tell({ kind })
    else if (kind === 'cancel' && attempt_id !== undefined) tell({ kind, attempt_id: attempt_id as AttemptId })
  }

  /** One connection, until it is lost or closed. */
  const listen = async () => {
    const client = new pg.Client({ ...connectionOptions(url), query_timeout: HEARTBEAT_MS })
    const lost = new AbortController()
    const close = () => lost.abort(closed.reason)
    client.on('error', (error) => lost.abort(error))
    client.on('end', () => lost.abort(new Error('the listening connection ended')))
    closed.addEventListener('abort', close)
    client.on('notification', ({ payload }) => receive(payload ?? ''))
    try {
      await Promise.race([client.connect(), whenAborted(lost.signal)])
      await client.query(`listen ${CHANNEL}`)
      for (;;) {
        tell({ kind: 'look' })
        await sleep(HEARTBEAT_MS, undefined, { signal: lost.signal }).catch(() => {})
        lost.signal.throwIfAborted()
        await client.query('select 1')
      }
    } finally {
      closed.removeEventListener('abort', close)
      await client.end().catch(() => {})
    }
  }

  const keepListening = async () => {
    while (!closed.aborted) {
      await listen().catch((error: unknown) => {
        if (!closed.aborted) onError(error)
      })
      tell({ kind: 'look' })
      await sleep(RECONNECT_MS, undefined, { signal: closed }).catch(() => {})
    }
  }
  const listening = keepListening()

  return {
    send(kind) {
      pending.add(`${kind} ${origin}`)
      sending ??= flush()
    },
    cancelPayload: (attempt_id) => `cancel ${origin} ${attempt_id}`,
    queuePayload: () => `queue ${origin}`,
    on: (listener) => void listeners.add(listener),
    async close() {
      closing.abort()
      await Promise.all([listening, sending])
    },
  }
}

/** Rejects with the signal's reason. */
function whenAborted(signal: AbortSignal): Promise<never> {
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  })
  // Told to whoever waits for it by then.
  aborted.catch(() => {})
  return aborted
}
