import type { KeyObject } from 'node:crypto'
import { hashOfLine, signCheckpoint, type Head } from '@orchestrator/audit'

import type { AuditStore } from './audit-export.ts'

/** Lines that are only ever appended to, beyond the database's reach. */
export interface CheckpointFile {
  /** The last line; undefined while there is none. */
  readLast(): Promise<string | undefined>
  /** On the disk when it resolves. */
  append(line: string): Promise<void>
}

export interface CheckpointerOptions {
  store: Pick<AuditStore, 'listLinks'>
  file: CheckpointFile
  private_key: KeyObject
  now: () => Date
  onError: (error: unknown) => void
}

/** Between a row and the checkpoint over it, at most. */
const INTERVAL_MS = 60_000
/** Rows of one checkpoint at most. */
const ROWS_MAX = 5_000
/** How long a stop waits for what is not signed yet: a service that ends has some seconds, a file that was filled from another one minutes of work. */
const STOP_MS = 2_000

/**
 * Signs, beside the database, where each chain stands. Whoever rewrites a chain whole, or takes its last
 * rows away, would have to rewrite what was signed as well.
 */
export class Checkpointer {
  readonly #o: CheckpointerOptions
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()
  /** No further checkpoint is begun after this. */
  #until = Number.POSITIVE_INFINITY

  constructor(o: CheckpointerOptions) {
    this.#o = o
  }

  /** There are new rows: they are signed within a minute. */
  wake(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      this.write().catch(this.#o.onError)
    }, INTERVAL_MS).unref()
  }

  /** Signs what is new, now. */
  write(): Promise<void> {
    this.#writing = this.#writing.catch(() => {}).then(() => this.#write())
    return this.#writing
  }

  /** What is left unsigned for lack of time is signed after the next start. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer)
    this.#until = performance.now() + STOP_MS
    await this.write().catch(this.#o.onError)
  }

  async #write(): Promise<void> {
    let last = await this.#o.file.readLast()
    for (;;) {
      const { number, through } = last === undefined ? { number: 0, through: 0 } : (JSON.parse(last) as Position)
      const links = await this.#o.store.listLinks(through, ROWS_MAX)
      const newest = links.at(-1)
      if (newest === undefined) return
      const heads = new Map(
        links.map((link): [string, Head] => [link.workflow_id, [link.workflow_id, link.sequence, link.hash]]),
      )
      const line = signCheckpoint(
        {
          number: number + 1,
          made_at: this.#o.now().toISOString(),
          after: through,
          through: newest.sequence,
          heads: [...heads.values()],
          previous: last === undefined ? '' : hashOfLine(last),
        },
        this.#o.private_key,
      )
      await this.#o.file.append(line)
      last = line
      if (links.length < ROWS_MAX || performance.now() > this.#until) return
    }
  }
}

interface Position {
  number: number
  through: number
}
