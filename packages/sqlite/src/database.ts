import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Kysely, type Transaction } from 'kysely'
import type { Migration } from 'kysely/migration'

import {
  DatabaseError,
  sqliteResultCode,
  SQLITE_BUSY,
  SQLITE_CANTOPEN,
  SQLITE_CORRUPT,
  SQLITE_FULL,
  SQLITE_NOTADB,
  SQLITE_READONLY,
} from './database-error.ts'
import { GroupWriter } from './group-writer.ts'
import { assertIntact, checkBeside, isCheckedAtOnce } from './integrity.ts'
import { migrate } from './migrate.ts'
import { Mutex } from './mutex.ts'
import { connectDirectly, NodeSqliteConnection, nodeSqliteDialect } from './node-sqlite-dialect.ts'
import { lockForOwner, ownerPath } from './owner-lock.ts'

/** One SQLite file with one owner. */
export interface Database<S> {
  /** Reads a snapshot; never sees what is not committed. */
  readonly read: Kysely<S>
  /**
   * Runs `fn` in a transaction and resolves once it is on disk. `fn` must do database work only:
   * others wait for it, and share its commit. It runs again when another one of the same commit spoilt it.
   */
  write<T>(fn: (tx: Transaction<S>) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export interface OpenDatabaseOptions {
  /** Path of the file, or `:memory:`. Folders are made. */
  path: string
  /** Forward only, by name: `0001_initial`. */
  migrations: Record<string, Migration>
  /** The environment variable that named the path, for messages. */
  variable: string
  /** The disk failed or the file is damaged, after which nothing may be written; the process should end. */
  onFatal?: (error: unknown) => void
  /** How many transactions a commit took along. */
  onBatch?: (size: number) => void
}

/**
 * Throws a DatabaseError when the file cannot be written, is corrupt, has another owner or is newer than this code. A
 * large file is looked through while it is used already; damage found then is fatal.
 */
export async function openDatabase<S>(o: OpenDatabaseOptions): Promise<Database<S>> {
  const opened: DatabaseSync[] = []
  try {
    return await open<S>(o, opened)
  } catch (error) {
    for (const connection of opened.toReversed()) connection.close()
    throw explain(error, o)
  }
}

async function open<S>(o: OpenDatabaseOptions, opened: DatabaseSync[]): Promise<Database<S>> {
  const inMemory = o.path === ':memory:'
  const connect = (path: string, readOnly = false) => {
    const connection = new DatabaseSync(path, { readOnly, timeout: 5000, enableForeignKeyConstraints: true })
    opened.push(connection)
    return connection
  }

  if (!inMemory) {
    mkdirSync(dirname(o.path), { recursive: true })
    lockForOwner(connect(ownerPath(o.path)))
  }
  const writing = connect(o.path)
  // A commit writes each changed page whole, and many small rows in many indexes change: half of the default
  // page size is a quarter less processor time per transaction (bench/in-process.ts). Set when the file is made.
  writing.exec('pragma page_size = 2048')
  writing.exec('pragma journal_mode = wal')
  writing.exec('pragma synchronous = full')
  // 16 MB of log between two checkpoints: each writes changed pages back once, however often they changed.
  writing.exec('pragma wal_autocheckpoint = 8000')
  // Taken only as it is needed: 16 MB hold the pages that a busy service touches again and again.
  writing.exec('pragma cache_size = -16000')
  const isChecked = isCheckedAtOnce(o.path)
  if (isChecked) assertIntact(writing)

  const mutex = inMemory ? new Mutex() : undefined
  const connection = new NodeSqliteConnection(writing)
  await migrate(new Kysely<S>({ dialect: nodeSqliteDialect(connection) }), o.migrations)
  if (!inMemory) assertDurable(writing)

  const reading = inMemory ? connection : new NodeSqliteConnection(connect(o.path, true))
  const read = new Kysely<S>({ dialect: nodeSqliteDialect(reading, { mutex }) })
  if (!inMemory) connectDirectly(read, reading)
  const writer = new GroupWriter<S>({
    connection,
    mutex,
    onFatal: o.onFatal ?? (() => {}),
    onBatch: o.onBatch ?? (() => {}),
  })

  let closing: Promise<void> | undefined
  const stopCheck = isChecked ? undefined : checkBeside(o.path, (error) => writer.fail(explain(error, o)))
  const close = async () => {
    stopCheck?.()
    await writer.close()
    for (const connection of opened.toReversed()) connection.close()
  }
  return { read, write: (fn) => writer.write(fn), close: () => (closing ??= close()) }
}

/**
 * Without both, a power cut loses what was answered. Asked of the connection that writes, once the schema is this code's:
 * a setting that the file or its disk did not take is not an error when it is made.
 */
function assertDurable(connection: DatabaseSync): void {
  const mode = connection.prepare('pragma journal_mode').get()?.['journal_mode']
  const synchronous = connection.prepare('pragma synchronous').get()?.['synchronous']
  if (mode !== 'wal' || synchronous !== 2) {
    throw new DatabaseError(
      `it cannot be written safely there (journal_mode ${String(mode)}, synchronous ${String(synchronous)}): use a local disk`,
    )
  }
}

const REASONS: Readonly<Record<number, string>> = {
  [SQLITE_BUSY]: 'another process is using it: stop that one, or name another file',
  [SQLITE_READONLY]: 'it cannot be written: give this user the right to write the file and its folder',
  [SQLITE_CANTOPEN]: 'it cannot be opened: give this user the right to write the file and its folder',
  [SQLITE_CORRUPT]: 'it is damaged: restore a backup',
  [SQLITE_FULL]: 'the disk is full: make room',
  [SQLITE_NOTADB]: 'it is not an SQLite database: name another file',
}

function explain(error: unknown, o: OpenDatabaseOptions): Error {
  const reason =
    error instanceof DatabaseError
      ? error.message
      : (REASONS[sqliteResultCode(error) ?? -1] ?? (error instanceof Error ? error.message : String(error)))
  return new DatabaseError(`${o.variable}: the database ${o.path} cannot be used, because ${reason}`, { cause: error })
}
