import type { PostgresPool, PostgresPoolClient } from 'kysely'
import pg from 'pg'

import { isConnectionFault } from './postgres-faults.ts'

/** A half-open socket must be noticed within 15 s, so no statement may take longer than this. */
export const STATEMENT_MS = 10_000
const CONNECT_MS = 5_000
/** A replica that was frozen in the middle of a transaction holds its locks no longer than this. */
const IDLE_IN_TRANSACTION_MS = 5_000
const KEEP_ALIVE_MS = 5_000
/** Statements kept prepared by name on each connection. */
const NAMED_MAX = 300

export function connectionOptions(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: 'orchestrator',
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_MS,
    types: {
      // Every 64-bit number here is far below 2^53; the driver would give a string.
      getTypeParser: (oid, format) => (oid === pg.types.builtins.INT8 ? Number : pg.types.getTypeParser(oid, format)),
    },
  }
}

/** `settings` of the session in the form of postgres' command line. */
export function createPool(url: string, max: number, settings?: string): pg.Pool {
  const pool = new pg.Pool({
    ...connectionOptions(url),
    max,
    // Statements of a transaction are sent one behind the other: see postgres-transaction.ts.
    pipeline: true,
    ...(settings !== undefined && { options: settings }),
    query_timeout: STATEMENT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  })
  // An idle connection that breaks is replaced when the next one is asked for, and one at work tells whoever waits
  // for its answer. What it says beside that has no other listener, and would end the process.
  pool.on('error', () => {})
  pool.on('connect', (client) => client.on('error', () => {}))
  return pool
}

/** A connection that showed a fault is not given back to the pool. */
export function carefulPool(pool: pg.Pool): PostgresPool {
  return {
    options: {},
    end: async () => {},
    connect: async () => {
      const client = await pool.connect()
      let isBroken = false
      // A socket that dies while nobody waits for an answer tells only this listener.
      const onError = () => void (isBroken = true)
      client.on('error', onError)
      return poolClient(
        async (text, values) => {
          try {
            return await runOn(client, text, values)
          } catch (error) {
            isBroken ||= isConnectionFault(error)
            throw error
          }
        },
        (destroy) => {
          client.off('error', onError)
          client.release(isBroken || destroy)
        },
      )
    },
  }
}

/** For reads: each takes its connection by itself, so that one lost on the way is read again on another. */
export function readingPool(pool: pg.Pool, patiently: <T>(fn: () => Promise<T>) => Promise<T>): PostgresPool {
  const careful = carefulPool(pool)
  const once = async (text: string, values: readonly unknown[]) => {
    const client = await careful.connect()
    try {
      return await client.query(text, values)
    } finally {
      client.release()
    }
  }
  return {
    options: {},
    end: async () => {},
    connect: async () =>
      poolClient(
        (text, values) => patiently(() => once(text, values)),
        () => {},
      ),
  }
}

type Query = (text: string, values: readonly unknown[]) => Promise<unknown>

function poolClient(query: Query, release: (destroy?: boolean) => void): PostgresPoolClient {
  // Without a cursor library Kysely calls only the first of the two overloads.
  return { query: query as PostgresPoolClient['query'], release }
}

const names = new Map<string, string>()

/** What is planned at all; of the others many may stand in one text, which a name would refuse. */
const PLANNED = /^\s*(select|insert|update|delete|with)\b/i

/** Postgres plans a statement anew each time unless it has a name, which can take ten times as long as to run it. */
export function runOn(client: pg.PoolClient, text: string, values: readonly unknown[]): Promise<pg.QueryResult> {
  let name = names.get(text)
  if (name === undefined && names.size < NAMED_MAX && PLANNED.test(text)) {
    name = `orchestrator_${names.size}`
    names.set(text, name)
  }
  return client.query({ text, values: values.map(storable), ...(name !== undefined && { name }) })
}

/** Postgres text holds no NUL, which agents sometimes print. */
export function storable(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '\uFFFD') : value
}
