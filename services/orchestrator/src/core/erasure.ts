import { randomBytes } from 'node:crypto'
import { ServiceError, type Erasure } from '@orchestrator/contract'

import type { Asker } from './privileges.ts'
import * as sentences from './sentences.ts'

export interface ErasureStore {
  /** One transaction, its act included. Undefined when they still hold a good key. */
  erase(o: { name: string; pseudonym: string; by: Asker; now: string }): Promise<Erasure | undefined>
}

/** What a person wrote and, but for the chain, their name are gone for good; every chain still holds. Throws VALIDATION_ERROR. */
export async function eraseWords(store: ErasureStore, name: string, by: Asker, now: Date): Promise<Erasure> {
  // Not made of the name, by which it could be found again.
  const pseudonym = `erased-${randomBytes(4).toString('hex')}`
  const erased = await store.erase({ name, pseudonym, by, now: now.toISOString() })
  if (erased !== undefined) return erased
  const message = sentences.stillHoldsKey(name)
  throw new ServiceError('VALIDATION_ERROR', `name ${message}`, { details: [{ field: 'name', message }] })
}
