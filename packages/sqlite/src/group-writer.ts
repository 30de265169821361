import { Kysely, type Transaction } from 'kysely'

import { DatabaseError, isDiskFault } from './database-error.ts'
import type { Mutex } from './mutex.ts'
import { connectDirectly, nodeSqliteDialect, type NodeSqliteConnection } from './node-sqlite-dialect.ts'

/** Work of one commit at most, and how long it is gathered: the first one in a flood does not wait for the last. */
const BATCH_MAX = 256
const GATHER_MAX_MS = 2

interface Job {
  /** `apart`: inside a savepoint of its own. Answers what to do once the commit is on disk. Throws a SpoiltCommit. */
  run(apart: boolean): Promise<() => void>
  fail(error: unknown): void
}

/** Somebody failed after having written, and the others' work cannot be told from theirs any more. */
class SpoiltCommit extends Error {
  override readonly name = 'SpoiltCommit'
}

const hooks = new WeakMap<object, (() => void)[]>()

/** Runs `hook` once the transaction is on disk, before whoever wrote it is told; never when it is rolled back. */
export function afterCommit(tx: Transaction<never> | object, hook: () => void): void {
  const list = hooks.get(tx)
  if (list === undefined) hooks.set(tx, [hook])
  else list.push(hook)
}

/** Runs what waits for the commit of this transaction; for whoever committed it. */
export function runAfterCommit(tx: Transaction<never> | object): void {
  takeHooks(tx).forEach((hook) => hook())
}

/** The transaction was rolled back and its object will be used for another one. */
export function dropAfterCommit(tx: Transaction<never> | object): void {
  hooks.delete(tx)
}

function takeHooks(tx: object): (() => void)[] {
  const list = hooks.get(tx) ?? []
  hooks.delete(tx)
  return list
}

/**
 * Puts the transactions that arrive together (see `#gather`) into one commit: SQLite's fsync is
 * what a write costs, so that concurrent writers share it. A failed one takes nobody along: whoever fails
 * does so before writing, almost always; else all is done again, each in a savepoint, which would otherwise
 * be a tenth of what a write costs. Everybody is answered after the fsync, refusals included.
 */
export class GroupWriter<S> {
  readonly #connection: NodeSqliteConnection
  /** One for all, since one after the other is at work: to begin Kysely's own anew costs as much as a statement. */
  #tx: Promise<Transaction<S>> | undefined
  readonly #mutex: Mutex | undefined
  readonly #onFatal: (error: unknown) => void
  readonly #onBatch: (size: number) => void
  #queue: Job[] = []
  #draining: Promise<void> | undefined
  #refusal: Error | undefined
  /** The last commit: how many it took along, and how long it took. */
  #last = { size: 0, duration_ms: 0 }

  constructor(o: {
    connection: NodeSqliteConnection
    mutex: Mutex | undefined
    onFatal: (error: unknown) => void
    onBatch: (size: number) => void
  }) {
    this.#connection = o.connection
    this.#mutex = o.mutex
    this.#onFatal = o.onFatal
    this.#onBatch = o.onBatch
  }

  write<T>(fn: (tx: Transaction<S>) => Promise<T>): Promise<T> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal)
    return new Promise<T>((resolve, reject) => {
      this.#queue.push({
        run: async (apart) => {
          const tx = await (this.#tx ??= this.#begin())
          const written = this.#connection.written
          if (apart) this.#connection.openSavepoint()
          try {
            const value = await fn(tx)
            if (apart) this.#connection.releaseSavepoint()
            const committed = takeHooks(tx)
            return () => {
              for (const hook of committed) hook()
              resolve(value)
            }
          } catch (error) {
            dropAfterCommit(tx)
            // After some errors (a full disk, for one) SQLite has rolled everything back itself, the others' work too.
            if (!this.#connection.isInTransaction) throw error
            if (apart) this.#connection.rollBackToSavepoint()
            else if (this.#connection.written !== written) throw new SpoiltCommit('', { cause: error })
            return () => reject(error)
          }
        },
        fail: reject,
      })
      this.#draining ??= this.#drain()
    })
  }

  /** Nothing more is written, because of this. */
  fail(cause: unknown): void {
    this.#refusal = new DatabaseError(
      'The disk reported an error, so nothing more is written. See the log, then restart.',
      { cause },
    )
    for (const job of this.#queue.splice(0)) job.fail(this.#refusal)
    this.#onFatal(cause)
  }

  /** Lets what was asked for finish; whatever comes later is refused. */
  async close(): Promise<void> {
    this.#refusal ??= new DatabaseError('The database is closed.')
    await this.#draining
  }

  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      await this.#gather()
      await this.#mutex?.lock()
      const batch = this.#queue.splice(0, BATCH_MAX)
      try {
        await this.#commit(batch)
      } finally {
        this.#mutex?.unlock()
      }
    }
    this.#draining = undefined
  }

  /**
   * Whoever arrives in the meantime shares the commit: it begins when a turn of the event loop has brought nobody. Where
   * fewer came than to the last one, the others are probably on their way: half as long as a commit takes is well spent
   * on having them in this one.
   */
  async #gather(): Promise<void> {
    const began = performance.now()
    let gathered: number
    let waited: number
    do {
      gathered = this.#queue.length
      await new Promise((resolve) => setImmediate(resolve))
      waited = performance.now() - began
    } while (
      this.#queue.length < BATCH_MAX &&
      waited < GATHER_MAX_MS &&
      (this.#queue.length > gathered || (this.#queue.length < this.#last.size && waited < this.#last.duration_ms / 2))
    )
  }

  async #begin(): Promise<Transaction<S>> {
    const db = new Kysely<S>({ dialect: nodeSqliteDialect(this.#connection, { savepoints: false }) })
    const tx = await db.startTransaction().execute()
    connectDirectly(tx, this.#connection)
    return tx
  }

  async #commit(batch: Job[], apart = false): Promise<void> {
    const answers: (() => void)[] = []
    const began = performance.now()
    try {
      this.#connection.execute('begin immediate')
      for (const job of batch) answers.push(await job.run(apart))
      this.#connection.execute('commit')
    } catch (error) {
      if (this.#connection.isInTransaction) this.#connection.execute('rollback')
      if (error instanceof SpoiltCommit) return this.#commit(batch, true)
      this.#failAll(batch, error)
      return
    }
    this.#last = { size: batch.length, duration_ms: performance.now() - began }
    this.#onBatch(batch.length)
    for (const answer of answers) answer()
  }

  #failAll(batch: Job[], error: unknown): void {
    for (const job of batch) job.fail(error)
    if (!isDiskFault(error)) return
    // After a failed fsync the kernel may have dropped the pages: SQLite would go on, we must not.
    this.fail(error)
  }
}
