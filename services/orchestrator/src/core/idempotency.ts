import { ServiceError, type JsonObject, type Workflow } from '@orchestrator/contract'

import type { WorkflowTransaction } from './ports.ts'

/** A request's `Idempotency-Key`, already bound to who asked and to which route. */
export interface Idempotency {
  key: string
  /** SHA-256 of the request's body. */
  body_digest: string
}

/**
 * Does `fn` once per key: a second request with the same body gets the first one's answer, in the same
 * commit or never. Throws IDEMPOTENCY_MISMATCH for another body under the same key.
 */
export async function once(
  tx: WorkflowTransaction,
  idempotency: Idempotency | undefined,
  now: string,
  fn: () => Promise<Workflow>,
): Promise<Workflow> {
  if (idempotency === undefined) return fn()
  const { key, body_digest } = idempotency
  const known = await tx.findIdempotentAnswer(key)
  if (known !== undefined) {
    if (known.body_digest === body_digest) return known.answer as Workflow
    throw new ServiceError(
      'IDEMPOTENCY_MISMATCH',
      'This Idempotency-Key was used before with another body. Use a new key for a new request.',
    )
  }
  const answer = await fn()
  await tx.insertIdempotentAnswer(key, body_digest, answer as JsonObject, now)
  return answer
}
