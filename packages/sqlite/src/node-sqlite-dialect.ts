import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite'
import {
  CompiledQuery,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
} from 'kysely'

import type { Mutex } from './mutex.ts'

/** Statements kept prepared per connection; queries built with lists of varying length would otherwise pile up. */
const PREPARED_STATEMENTS_MAX = 300

/**
 * Kysely over one `node:sqlite` connection. A transaction is a savepoint, so that the group writer
 * can put many into one commit; outside of one, releasing the outermost savepoint commits.
 * `mutex` is given when this connection is shared with another Kysely (in-memory databases).
 */
export function nodeSqliteDialect(database: DatabaseSync, mutex?: Mutex): Dialect {
  return {
    createAdapter: () => new TransactionalAdapter(),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createIntrospector: (db: Kysely<unknown>) => new SqliteIntrospector(db),
    createDriver: () => new NodeSqliteDriver(database, mutex),
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

class NodeSqliteDriver implements Driver {
  readonly #connection: NodeSqliteConnection
  readonly #mutex: Mutex | undefined

  constructor(database: DatabaseSync, mutex: Mutex | undefined) {
    this.#connection = new NodeSqliteConnection(database)
    this.#mutex = mutex
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    await this.#mutex?.lock()
    return this.#connection
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('savepoint work'))
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('release work'))
  }

  async rollbackTransaction(): Promise<void> {
    this.#connection.rollbackToSavepoint()
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
}

class NodeSqliteConnection implements DatabaseConnection {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, Prepared>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { statement, has_rows } = this.#prepare(query.sql)
    const parameters = query.parameters as SQLInputValue[]
    if (has_rows) return { rows: statement.all(...parameters) as R[] }
    const { changes, lastInsertRowid } = statement.run(...parameters)
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) }
  }

  async *streamQuery<R>(query: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
    for (const row of this.#prepare(query.sql).statement.iterate(...(query.parameters as SQLInputValue[]))) {
      yield { rows: [row as R] }
    }
  }

  /** After some errors (a full disk, for one) SQLite has rolled everything back itself and no savepoint is left. */
  rollbackToSavepoint(): void {
    if (!this.#database.isTransaction) return
    this.#database.exec('rollback to work')
    this.#database.exec('release work')
  }

  #prepare(sql: string): Prepared {
    const known = this.#statements.get(sql)
    if (known !== undefined) return known
    if (this.#statements.size >= PREPARED_STATEMENTS_MAX) {
      const oldest = this.#statements.keys().next()
      if (!oldest.done) this.#statements.delete(oldest.value)
    }
    const statement = this.#database.prepare(sql)
    const prepared = { statement, has_rows: statement.columns().length > 0 }
    this.#statements.set(sql, prepared)
    return prepared
  }
}
