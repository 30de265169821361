import { hash } from 'node:crypto'

/** What is said of a workflow once and for good: the beginning of its chain. */
export interface Creation {
  id: string
  workflow_type: string
  feature_id: string
  workspace: string
  retry_of: string | null
  created_by: string
  key_id: string | null
  request_id: string | null
  address: string | null
  created_at: string
}

/** A row of the history as it is stored, `metadata` as its text. */
export interface ChainedRow {
  workflow_id: string
  sequence: number
  id: string
  from_status: string
  to_status: string
  trigger: string
  actor: string
  key_id: string | null
  request_id: string | null
  address: string | null
  phase: string | null
  attempt: number | null
  attempt_id: string
  digest: string | null
  metadata: string | null
  /** Of a person's words, which stand beside the row and can be erased. */
  words_hash: string | null
  created_at: string
}

/** The first link of a workflow's chain. */
export function hashOfCreation(creation: Creation): string {
  const { id, workflow_type, feature_id, workspace, retry_of, created_by, key_id, request_id, address, created_at } =
    creation
  return hash(
    'sha256',
    JSON.stringify([
      id,
      workflow_type,
      feature_id,
      workspace,
      retry_of,
      created_by,
      key_id,
      request_id,
      address,
      created_at,
    ]),
  )
}

/** The next link: whatever changes in a row, or before it, changes this and all that follow. */
export function hashOfRow(previous: string, row: ChainedRow): string {
  return hash(
    'sha256',
    JSON.stringify([
      previous,
      row.workflow_id,
      row.sequence,
      row.id,
      row.from_status,
      row.to_status,
      row.trigger,
      row.actor,
      row.key_id,
      row.request_id,
      row.address,
      row.phase,
      row.attempt,
      row.attempt_id,
      row.digest,
      row.metadata,
      row.words_hash,
      row.created_at,
    ]),
  )
}

/** Salted, so that erased words cannot be found again by guessing. */
export function hashOfWords(salt: string, words: string): string {
  return hash('sha256', `${salt} ${words}`)
}

/** What an admin did, as it is stored, `details` as its text. Acts have one chain of their own. */
export interface ChainedAct {
  sequence: number
  action: string
  subject: string
  details: string
  actor: string
  key_id: string | null
  request_id: string | null
  address: string | null
  created_at: string
}

/** The chain of acts by this name among the heads of checkpoints, where the others have ids. */
export const ACTS = 'acts'

/** The next link of the acts' chain; `previous` is empty before the first. */
export function hashOfAct(previous: string, act: ChainedAct): string {
  const { sequence, action, subject, details, actor, key_id, request_id, address, created_at } = act
  return hash(
    'sha256',
    JSON.stringify([
      previous,
      ACTS,
      sequence,
      action,
      subject,
      details,
      actor,
      key_id,
      request_id,
      address,
      created_at,
    ]),
  )
}
