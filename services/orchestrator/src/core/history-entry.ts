import { randomBytes } from 'node:crypto'
import { hashOfCreation, hashOfRow, hashOfWords, type Creation } from '@orchestrator/audit'
import type { AttemptId, JsonObject, Transition, Workflow } from '@orchestrator/contract'

import type { Origin } from './origin.ts'
import type { HistoryEntry, HistoryWords } from './ports.ts'

export interface NewEntry {
  previous_hash: string
  transition: Omit<Transition, 'metadata'>
  attempt_id: AttemptId
  origin: Origin
  metadata: JsonObject | null
  /** What a person wrote: kept beside the chain, so that it can be erased. */
  words: JsonObject | null
}

/** The row of a transition, linked to the one before it, and the words that stand beside it. */
export function entryOf(o: NewEntry): { entry: HistoryEntry; words: HistoryWords | undefined } {
  const { key_id, request_id, address } = o.origin
  const words = o.words === null ? undefined : saltedWords(o.transition.id, o.words)
  const row = {
    ...o.transition,
    attempt_id: o.attempt_id,
    key_id,
    request_id,
    address,
    metadata: o.metadata === null ? null : JSON.stringify(o.metadata),
    words_hash: words === undefined ? null : hashOfWords(words.salt, words.words),
  }
  return { entry: { ...row, hash: hashOfRow(o.previous_hash, row) }, words }
}

/** Where the chain of a workflow begins. */
export function firstHash(workflow: Omit<Workflow, 'attempt'>, { key_id, request_id, address }: Origin): string {
  const creation: Creation = { ...workflow, key_id, request_id, address }
  return hashOfCreation(creation)
}

function saltedWords(history_id: string, words: JsonObject): HistoryWords {
  return { history_id, salt: randomBytes(16).toString('hex'), words: JSON.stringify(words) }
}
