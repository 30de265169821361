import { ServiceError, type JsonObject, type Workflow } from '@orchestrator/contract'

import type { WorkflowStore, WorkflowTransaction } from './ports.ts'
import * as sentences from './sentences.ts'

/** A request's `Idempotency-Key`, already bound to who asked and to which route. */
export interface Idempotency {
  key: string
  /** SHA-256 of the request's body. */
  body_digest: string
}

/** Writes that are done once per key. */
export class IdempotentWriter {
  readonly #store: Pick<WorkflowStore, 'write'>
  readonly #now: () => string
  /** Keys of requests that this process has not answered yet. */
  readonly #in_flight = new Set<string>()

  constructor(store: Pick<WorkflowStore, 'write'>, now: () => string) {
    this.#store = store
    this.#now = now
  }

  /**
   * One commit: what `fn` writes, and its answer under the key. A later request with the same key and body gets that
   * answer. Throws IDEMPOTENCY_MISMATCH for another body, IDEMPOTENCY_IN_FLIGHT while the first is not answered.
   */
  async write(
    idempotency: Idempotency | undefined,
    fn: (tx: WorkflowTransaction) => Promise<Workflow>,
  ): Promise<Workflow> {
    if (idempotency === undefined) return this.#store.write(fn)
    const { key } = idempotency
    if (this.#in_flight.has(key)) throw inFlight()
    this.#in_flight.add(key)
    try {
      return await this.#store.write((tx) => once(tx, idempotency, this.#now(), fn))
    } finally {
      this.#in_flight.delete(key)
    }
  }
}

async function once(
  tx: WorkflowTransaction,
  { key, body_digest }: Idempotency,
  now: string,
  fn: (tx: WorkflowTransaction) => Promise<Workflow>,
): Promise<Workflow> {
  if (!(await tx.claimIdempotencyKey(key))) throw inFlight()
  const known = await tx.findIdempotentAnswer(key)
  if (known !== undefined) {
    if (known.body_digest === body_digest) return known.answer as Workflow
    throw new ServiceError('IDEMPOTENCY_MISMATCH', sentences.keyOfAnotherBody())
  }
  const answer = await fn(tx)
  await tx.insertIdempotentAnswer(key, body_digest, answer as JsonObject, now)
  return answer
}

const inFlight = () => new ServiceError('IDEMPOTENCY_IN_FLIGHT', sentences.keyInFlight())
