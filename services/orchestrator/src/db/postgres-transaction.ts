import { connectDirectly, dropAfterCommit, runAfterCommit, type DirectConnection } from '@orchestrator/sqlite'
import {
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  type QueryResult,
  type Transaction,
} from 'kysely'
import type pg from 'pg'

import type { Tables } from './models.ts'
import { CommitUnknownError, isConnectionFault } from './postgres-faults.ts'
import { runOn } from './postgres-pool.ts'

/** One try. A COMMIT whose answer never came is told apart, for it must not be run again. */
export async function transact<T>(pool: pg.Pool, fn: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
  const client = await pool.connect()
  const { connection, tx } = await openedOn(client)
  connection.begin()
  try {
    const value = await fn(tx)
    await connection.commit()
    runAfterCommit(tx)
    return value
  } catch (error) {
    dropAfterCommit(tx)
    await connection.rollback()
    throw connection.failure ?? error
  } finally {
    client.release(connection.isBroken)
  }
}

interface Opened {
  connection: PipelinedConnection
  tx: Transaction<Tables>
}

const opened = new WeakMap<pg.PoolClient, Promise<Opened>>()

/** One of each for a connection, whose transactions come one after the other. */
function openedOn(client: pg.PoolClient): Promise<Opened> {
  const known = opened.get(client) ?? open(client)
  opened.set(client, known)
  return known
}

async function open(client: pg.PoolClient): Promise<Opened> {
  const connection = new PipelinedConnection(client)
  const db = new Kysely<Tables>({
    dialect: {
      createAdapter: () => new PostgresAdapter(),
      createQueryCompiler: () => new PostgresQueryCompiler(),
      createIntrospector: (kysely) => new PostgresIntrospector(kysely),
      createDriver: () => driverOf(connection),
    },
  })
  const tx = await db.startTransaction().execute()
  connectDirectly(tx, connection)
  return { connection, tx }
}

/** Kysely begins and ends nothing here. */
function driverOf(connection: DatabaseConnection): Driver {
  const nothing = async () => {}
  return {
    init: nothing,
    acquireConnection: async () => connection,
    beginTransaction: nothing,
    commitTransaction: nothing,
    rollbackTransaction: nothing,
    releaseConnection: nothing,
    destroy: nothing,
  }
}

/**
 * Statements are sent one behind the other: a transaction waits for what it reads and for its COMMIT, and for nothing
 * else, since a round trip costs both sides about as much as a statement. One that fails fails the transaction: Postgres
 * then does none of what follows, and answers COMMIT with a rollback.
 */
class PipelinedConnection implements DatabaseConnection, DirectConnection {
  readonly #client: pg.PoolClient
  #sent: Promise<unknown>[] = []
  #isOpen = false
  #isGathering = false
  /** The first failure of the transaction; others follow from it. */
  failure: Error | undefined
  /** Another transaction must not run on it. */
  isBroken = false

  constructor(client: pg.PoolClient) {
    this.#client = client
    // A socket that dies while nobody waits for an answer tells only this listener.
    client.on('error', () => void (this.isBroken = true))
  }

  begin(): void {
    this.failure = undefined
    this.#isOpen = true
    this.send('begin', [])
  }

  /** Throws a CommitUnknownError, or the failure of a statement. */
  async commit(): Promise<void> {
    // What failed before is known not to be committed, and may be run again.
    if (this.failure !== undefined) throw this.failure
    const committed = this.#query('commit', [])
    this.#isOpen = false
    await this.#settle(committed)
    if (isConnectionFault(this.failure)) {
      this.failure = new CommitUnknownError('no answer to COMMIT', { cause: this.failure })
    }
    if (this.failure !== undefined) throw this.failure
    const { command } = await committed
    if (command !== 'COMMIT') throw new Error(`COMMIT was answered with ${command}`)
  }

  /** After a commit that failed there is nothing left to roll back. */
  async rollback(): Promise<void> {
    const rolledBack = this.#isOpen && !this.isBroken ? this.#query('rollback', []) : undefined
    this.#isOpen = false
    await this.#settle(rolledBack)
  }

  async run<R>(text: string, values: readonly unknown[]): Promise<QueryResult<R>> {
    return resultOf(await this.#query(text, values))
  }

  send(text: string, values: readonly unknown[]): void {
    this.#assertOpen()
    // Its failure is noted, and thrown by whatever is waited for next.
    this.#sent.push(this.#query(text, values).catch(() => {}))
  }

  executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    return this.run(sql, parameters)
  }

  streamQuery(): AsyncIterableIterator<never> {
    throw new Error('rows are not streamed within a transaction')
  }

  async #query(text: string, values: readonly unknown[]): Promise<pg.QueryResult> {
    this.#assertOpen()
    this.#gather()
    try {
      return await runOn(this.#client, text, values)
    } catch (error) {
      this.failure ??= error instanceof Error ? error : new Error(String(error))
      this.isBroken ||= isConnectionFault(error)
      throw error
    }
  }

  /** What is sent before anybody waits goes in one packet: each one sent costs more than a statement takes to build. */
  #gather(): void {
    if (this.#isGathering) return
    this.#isGathering = true
    const { stream } = this.#client.connection
    stream.cork()
    // Runs when all that goes on without an answer has gone on.
    process.nextTick(() => {
      this.#isGathering = false
      stream.uncork()
    })
  }

  /** Otherwise a straggler of a failed transaction would be committed by itself. */
  #assertOpen(): void {
    if (!this.#isOpen) throw new Error('the transaction has ended')
  }

  async #settle(last: Promise<unknown> | undefined): Promise<void> {
    await Promise.allSettled([...this.#sent, last])
    this.#sent = []
  }
}

const COUNTED = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

function resultOf<R>({ command, rowCount, rows }: pg.QueryResult): QueryResult<R> {
  return { rows, ...(COUNTED.has(command) && { numAffectedRows: BigInt(rowCount ?? 0) }) }
}
