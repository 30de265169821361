import type { AttemptId, Digest, FeatureId, WorkflowId } from '@orchestrator/contract'

/** An answer as it is recorded. */
export interface AnswerRecord {
  workflow_id: WorkflowId
  attempt_id: AttemptId
  /** Of the attempt when it was answered. */
  digest: Digest | null
  question_id: string
  question: string
  path: string | null
  line: number | null
  /** Null takes an earlier one back. */
  answer: string | null
  actor: string
  created_at: string
}

/** A tick as it is recorded. */
export interface TickRecord {
  feature_id: FeatureId
  workflow_id: WorkflowId
  attempt_id: AttemptId
  digest: Digest | null
  item_id: string
  path: string
  label: string
  ticked: boolean
  actor: string
  created_at: string
}

/** Of several on one question or item the last, in the order in which they were first given. */
export interface Notes {
  answers: AnswerRecord[]
  ticks: TickRecord[]
}

/** A Markdown document that an attempt produced. */
export interface Document {
  path: string
  text: string
}

export interface NoteStore {
  /** Markdown documents of the feature, by path; those that are too large to be read by a person are left out. */
  listDocuments(attempt_id: AttemptId): Promise<Document[]>
  /** What the agent named as open at the end of its turn. */
  listUncertainties(attempt_id: AttemptId): Promise<string[]>
  listNotes(attempt_id: AttemptId): Promise<Notes>
}

/** What a transaction adds and reads of notes. */
export interface NoteTransaction {
  recordAnswer(record: AnswerRecord): Promise<void>
  recordTick(record: TickRecord): Promise<void>
  listNotes(attempt_id: AttemptId): Promise<Notes>
  /** Ticks that do not stand in the repository yet. */
  listTicksToApply(feature_id: FeatureId): Promise<TickRecord[]>
  /** They all stand there now. */
  markTicksApplied(feature_id: FeatureId): Promise<void>
}
