import type { ErrorCode } from '@orchestrator/contract'

import type { Origin } from './origin.ts'

/** An attempt that was refused: who, by what, from where, and at what. */
export interface Denial extends Omit<Origin, 'name'> {
  /** Null where nobody was known. */
  actor: string | null
  method: string
  path: string
  code: ErrorCode
  created_at: string
}

export interface DenialStore {
  /** Adds these and forgets the oldest beyond `keep`. */
  insertDenials(denials: readonly Denial[], keep: number): Promise<void>
  listDenials(before: number, limit: number): Promise<(Denial & { sequence: number })[]>
}

/** How long they are gathered, in milliseconds. */
const GATHER_MS = 1000
/** Gathered at once; whoever sends more within a second is already known from these. */
const GATHERED_MAX = 500
/** Kept in all. */
export const DENIALS_KEPT = 10_000

/** Writes down what was refused, a little later and many at once, so that nobody can make the store write by asking. */
export class Denials {
  readonly #store: Pick<DenialStore, 'insertDenials'>
  readonly #onError: (error: unknown) => void
  #gathered: Denial[] = []
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(store: Pick<DenialStore, 'insertDenials'>, onError: (error: unknown) => void) {
    this.#store = store
    this.#onError = onError
  }

  note(denial: Denial): void {
    if (this.#gathered.length >= GATHERED_MAX) return
    this.#gathered.push(denial)
    this.#timer ??= setTimeout(() => void this.flush(), GATHER_MS).unref()
  }

  /** Writes what is gathered. Never rejects. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const gathered = this.#gathered
    this.#gathered = []
    if (gathered.length > 0) {
      const write = () => this.#store.insertDenials(gathered, DENIALS_KEPT)
      this.#writing = this.#writing.then(write).catch(this.#onError)
    }
    return this.#writing
  }
}
