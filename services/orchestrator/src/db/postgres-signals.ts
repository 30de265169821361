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
    const lost = new Promise<never>((_, reject) => {
      client.on('error', reject)
      client.on('end', () => reject(new Error('the listening connection ended')))
      closed.addEventListener('abort', () => reject(closed.reason as Error))
    })
    lost.catch(() => {})
    client.on('notification', ({ payload }) => receive(payload ?? ''))
    try {
      await Promise.race([client.connect(), lost])
      await client.query(`listen ${CHANNEL}`)
      for (;;) {
        tell({ kind: 'look' })
        await Promise.race([sleep(HEARTBEAT_MS, undefined, { signal: closed }), lost])
        await client.query('select 1')
      }
    } finally {
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
