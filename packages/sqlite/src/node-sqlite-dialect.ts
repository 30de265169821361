import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import {
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
} from 'kysely'

import type { Mutex } from './mutex.ts'

/** Statements kept prepared per connection; queries built with lists of varying length would otherwise pile up. */
const PREPARED_STATEMENTS_MAX = 300

export interface NodeSqliteDialectOptions {
  /** Given when this connection is shared with another Kysely (in-memory databases). */
  mutex?: Mutex | undefined
  /** False when whoever owns the connection begins and ends transactions on it. */
  savepoints?: boolean
}

/** Kysely over one `node:sqlite` connection. A transaction is a savepoint; releasing the outermost one commits. */
export function nodeSqliteDialect(connection: NodeSqliteConnection, o: NodeSqliteDialectOptions = {}): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createDriver: () => new NodeSqliteDriver(connection, o),
  }
}

/**
 * SQLite takes changes of the schema back like any other, which Kysely does not count on: without it a first start
 * that ends in the middle of a migration leaves a file that no later start can use.
 */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

/** A connection that is reached without Kysely's way to it. */
export interface DirectConnection {
  run<R>(sql: string, values: readonly unknown[]): QueryResult<R> | Promise<QueryResult<R>>
  /** The same where nobody reads the answer; one that fails may do so as late as at the commit. */
  send(sql: string, values: readonly unknown[]): void
}

const connections = new WeakMap<object, DirectConnection>()

/** From here on `runCompiled` and `sendCompiled` run the queries of `db` on its connection directly. */
export function connectDirectly(db: object, connection: DirectConnection): void {
  connections.set(db, connection)
}

/**
 * Runs a query that was compiled before, with these parameters in place of its own; straight on the connection where
 * that is known, for Kysely's way to it takes longer than a query of SQLite.
 */
export async function runCompiled<S, R>(
  db: Kysely<S>,
  query: CompiledQuery<R>,
  parameters: readonly unknown[],
): Promise<QueryResult<R>> {
  return connections.get(db)?.run<R>(query.sql, parameters) ?? db.executeQuery({ ...query, parameters })
}

/** The same for a write within a transaction whose answer tells nothing. */
export async function sendCompiled<S>(
  db: Kysely<S>,
  query: CompiledQuery,
  parameters: readonly unknown[],
): Promise<void> {
  const connection = connections.get(db)
  if (connection === undefined) await db.executeQuery({ ...query, parameters })
  else connection.send(query.sql, parameters)
}

class NodeSqliteDriver implements Driver {
  readonly #connection: NodeSqliteConnection
  readonly #mutex: Mutex | undefined
  readonly #savepoints: boolean

  constructor(connection: NodeSqliteConnection, { mutex, savepoints = true }: NodeSqliteDialectOptions) {
    this.#connection = connection
    this.#mutex = mutex
    this.#savepoints = savepoints
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    await this.#mutex?.lock()
    return this.#connection
  }

  async beginTransaction(): Promise<void> {
    if (this.#savepoints) this.#connection.openSavepoint()
  }

  async commitTransaction(): Promise<void> {
    if (this.#savepoints) this.#connection.releaseSavepoint()
  }

  async rollbackTransaction(): Promise<void> {
    if (this.#savepoints) this.#connection.rollBackToSavepoint()
  }

  async releaseConnection(): Promise<void> {
    this.#mutex?.unlock()
  }

  /** Closing the connection is its opener's business. */
  async destroy(): Promise<void> {}
}

interface Prepared {
  statement: StatementSync
  /** Whether it answers with rows, `returning` included; asking the statement each time would cost as much as a short query. */
  has_rows: boolean
  /** 0 for one that only reads. */
  writes: 0 | 1
}

/** One connection and the statements that it keeps prepared. */
export class NodeSqliteConnection implements DatabaseConnection, DirectConnection {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, Prepared>()
  #written = 0

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    return this.run(query.sql, query.parameters)
  }

  run<R>(sql: string, values: readonly unknown[]): QueryResult<R> {
    const { statement, has_rows, writes } = this.#prepare(sql)
    this.#written += writes
    const parameters = values as SQLInputValue[]
    if (has_rows) return { rows: statement.all(...parameters) as R[] }
    const { changes, lastInsertRowid } = statement.run(...parameters)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  send(sql: string, values: readonly unknown[]): void {
    this.run(sql, values)
  }

  /** How many statements were run that may have written, so far. */
  get written(): number {
    return this.#written
  }

  get isInTransaction(): boolean {
    return this.#database.isTransaction
  }

  execute(sql: string): void {
    this.#prepare(sql).statement.run()
  }

  openSavepoint(): void {
    this.execute('savepoint work')
  }

  releaseSavepoint(): void {
    this.execute('release work')
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    for (const row of this.#prepare(query.sql).statement.iterate(...(query.parameters as SQLInputValue[]))) {
      yield { rows: [row as R] }
    }
  }

  /** After some errors (a full disk, for one) SQLite has rolled everything back itself and no savepoint is left. */
  rollBackToSavepoint(): void {
    if (!this.isInTransaction) return
    this.execute('rollback to work')
    this.releaseSavepoint()
  }

  #prepare(sql: string): Prepared {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    if (this.#statements.size >= PREPARED_STATEMENTS_MAX) {
      const oldest = this.#statements.keys().next()
      if (!oldest.done) this.#statements.delete(oldest.value)
    }
    const statement = this.#database.prepare(sql)
    const writes = /^\s*select\b/i.test(sql) ? 0 : 1
    const prepared: Prepared = { statement, has_rows: statement.columns().length > 0, writes }
    this.#statements.set(sql, prepared)
    return prepared
  }
}
