import type { StreamEvent, WorkflowId } from '@orchestrator/contract'

import type { Clock, WorkflowStore } from './ports.ts'

/** Latest events kept in memory, so that a wake-up costs one read however many listen. */
const RECENT_MAX = 1000
const PAGE = 500
/** How long a store that could not be read is left alone, in milliseconds. */
const AGAIN_MS = 1000

export interface Subscription {
  /** Events after this sequence; undefined begins with what comes next. */
  after: number | undefined
  workflow_id?: WorkflowId
  signal: AbortSignal
}

/**
 * The events in order, from any point, without a gap: old ones from the store, new ones as they are
 * committed. A slow listener reads from the store at its own pace and holds nobody up.
 */
export class EventFeed {
  readonly #store: WorkflowStore
  readonly #clock: Clock
  readonly #onError: (error: unknown) => void
  readonly #closing = new AbortController()
  readonly #unlisten: () => void
  readonly #waiting = new Set<() => void>()
  readonly #waitingFor = new Map<WorkflowId, Set<() => void>>()
  /** Consecutive events, the last committed one at the end. */
  #recent: StreamEvent[] = []
  /** Sequence of the newest event read; -1 until somebody listens. */
  #tail = -1
  #reading: Promise<void> | undefined
  #dirty = false

  /** `onError` hears of a read that failed; it is done again a little later. */
  constructor(store: WorkflowStore, clock: Clock, onError: (error: unknown) => void) {
    this.#store = store
    this.#clock = clock
    this.#onError = onError
    this.#unlisten = store.onEvents(() => this.#wake())
  }

  async *subscribe({ after, workflow_id, signal }: Subscription): AsyncGenerator<StreamEvent> {
    const tail = await this.#ensureTail()
    // A sequence that nobody has been given yet, as after a backup was restored, would wait in silence for ever.
    let position = after === undefined ? tail : Math.min(after, Math.max(tail, await this.#store.lastSequence()))
    while (!signal.aborted) {
      const page = await this.#readAfter(position, workflow_id)
      for (const event of page.events) {
        if (signal.aborted) return
        yield event
      }
      position = page.position
      if (page.end && position >= this.#tail) await this.#next(workflow_id, signal)
    }
  }

  async close(): Promise<void> {
    this.#unlisten()
    this.#closing.abort()
    await this.#reading
  }

  async #ensureTail(): Promise<number> {
    if (this.#tail < 0) {
      const last = await this.#store.lastSequence()
      // Another one may have begun to read meanwhile: what lies between its place and this one is still to be read.
      if (this.#tail < 0) this.#tail = last
      if (this.#dirty) this.#wake()
    }
    return this.#tail
  }

  /** A page after `position`, from memory when it reaches back far enough. */
  async #readAfter(position: number, workflow_id: WorkflowId | undefined) {
    const tail = this.#tail
    const first = this.#recent[0]?.sequence ?? Number.POSITIVE_INFINITY
    if (position >= tail) return { events: [], position, end: true }
    if (position >= first - 1) {
      const events = this.#recent.filter(
        (event) => event.sequence > position && (workflow_id === undefined || event.workflow_id === workflow_id),
      )
      return { events, position: tail, end: true }
    }
    const events = await this.#store.listEvents({
      after: position,
      limit: PAGE,
      ...(workflow_id !== undefined && { workflow_id }),
    })
    const end = events.length < PAGE
    const last = events.at(-1)?.sequence ?? position
    return { events, position: end ? Math.max(last, tail) : last, end }
  }

  async #next(workflow_id: WorkflowId | undefined, signal: AbortSignal): Promise<void> {
    const waiting = this.#waitersOf(workflow_id)
    await new Promise<void>((resolve) => {
      const done = () => {
        waiting.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      waiting.add(done)
      signal.addEventListener('abort', done, { once: true })
      if (signal.aborted) done()
    })
    if (workflow_id !== undefined && waiting.size === 0) this.#waitingFor.delete(workflow_id)
  }

  #waitersOf(workflow_id: WorkflowId | undefined): Set<() => void> {
    if (workflow_id === undefined) return this.#waiting
    const known = this.#waitingFor.get(workflow_id)
    if (known !== undefined) return known
    const waiters = new Set<() => void>()
    this.#waitingFor.set(workflow_id, waiters)
    return waiters
  }

  #wake(): void {
    this.#dirty = true
    if (this.#tail >= 0) this.#reading ??= this.#read()
  }

  /** Reads what was committed since, once for all, and wakes whom it concerns. */
  async #read(): Promise<void> {
    while (this.#dirty && !this.#closing.signal.aborted) {
      this.#dirty = false
      const events = await this.#store.listEvents({ after: this.#tail, limit: PAGE }).catch((error: unknown) => {
        this.#onError(error)
        return undefined
      })
      if (events === undefined) {
        // Nobody may commit anything else for hours.
        this.#dirty = true
        await this.#clock.sleep(AGAIN_MS, this.#closing.signal).catch(() => {})
        continue
      }
      const last = events.at(-1)
      if (last === undefined) continue
      this.#recent = [...this.#recent, ...events].slice(-RECENT_MAX)
      this.#tail = last.sequence
      this.#dirty ||= events.length === PAGE
      this.#waiting.forEach((wake) => wake())
      for (const id of new Set(events.map((event) => event.workflow_id))) {
        if (id !== null) this.#waitingFor.get(id)?.forEach((wake) => wake())
      }
    }
    // In the same turn as the look at `#dirty`: a commit in between would not be told.
    this.#reading = undefined
  }
}
