import {
  DRAFTS_MAX,
  ServiceError,
  type Digest,
  type ReviewDraft,
  type SaveDraft,
  type ViewedMark,
  type WorkflowId,
} from '@orchestrator/contract'

import type { WorkflowStore } from './ports.ts'
import * as sentences from './sentences.ts'

/** Whose, and of which workflow. */
export interface DraftOwner {
  workflow_id: WorkflowId
  actor: string
}

/** What became of a draft that was to be saved. */
export type SavedDraft = ReviewDraft | 'unknown_workflow' | 'unknown_attempt' | 'closed' | 'too_many'

export interface ReviewDraftStore {
  /** Oldest first. */
  listDrafts(owner: DraftOwner): Promise<ReviewDraft[]>
  /** In one transaction with the look at what was sent: a draft that comes after its verdict stays out. */
  saveDraft(owner: DraftOwner, id: string, draft: SaveDraft, now: string, most: number): Promise<SavedDraft>
  deleteDraft(owner: DraftOwner, id: string): Promise<void>
  listViewed(owner: DraftOwner): Promise<ViewedMark[]>
  markViewed(owner: DraftOwner, digest: Digest, now: string): Promise<void>
  unmarkViewed(owner: DraftOwner, digest: Digest): Promise<void>
}

export interface ReviewDraftsOptions {
  store: ReviewDraftStore
  workflows: Pick<WorkflowStore, 'findWorkflow'>
  now: () => Date
}

/** What a reviewer has written and read and not sent: theirs alone, whatever becomes of the page, the service or the attempt. */
export class ReviewDrafts {
  readonly #o: ReviewDraftsOptions

  constructor(o: ReviewDraftsOptions) {
    this.#o = o
  }

  /** Throws WORKFLOW_NOT_FOUND, as the others do. */
  async list(owner: DraftOwner): Promise<ReviewDraft[]> {
    await this.#assertKnown(owner.workflow_id)
    return this.#o.store.listDrafts(owner)
  }

  /** Makes it, or replaces it. Throws VALIDATION_ERROR, DRAFT_CLOSED. */
  async save(owner: DraftOwner, id: string, draft: SaveDraft): Promise<ReviewDraft> {
    const saved = await this.#o.store.saveDraft(owner, id, draft, this.#now(), DRAFTS_MAX)
    if (saved === 'unknown_workflow')
      throw new ServiceError('WORKFLOW_NOT_FOUND', sentences.unknownWorkflow(owner.workflow_id))
    if (saved === 'unknown_attempt') throw refused('attempt_id', sentences.attemptOfAnother(draft.attempt_id))
    if (saved === 'too_many') throw refused('draft_id', sentences.tooManyDrafts(DRAFTS_MAX))
    if (saved === 'closed') throw new ServiceError('DRAFT_CLOSED', sentences.draftClosed())
    return saved
  }

  async delete(owner: DraftOwner, id: string): Promise<void> {
    await this.#assertKnown(owner.workflow_id)
    await this.#o.store.deleteDraft(owner, id)
  }

  async listViewed(owner: DraftOwner): Promise<ViewedMark[]> {
    await this.#assertKnown(owner.workflow_id)
    return this.#o.store.listViewed(owner)
  }

  async markViewed(owner: DraftOwner, digest: Digest): Promise<void> {
    await this.#assertKnown(owner.workflow_id)
    await this.#o.store.markViewed(owner, digest, this.#now())
  }

  async unmarkViewed(owner: DraftOwner, digest: Digest): Promise<void> {
    await this.#assertKnown(owner.workflow_id)
    await this.#o.store.unmarkViewed(owner, digest)
  }

  async #assertKnown(id: WorkflowId): Promise<void> {
    if ((await this.#o.workflows.findWorkflow(id)) === undefined)
      throw new ServiceError('WORKFLOW_NOT_FOUND', sentences.unknownWorkflow(id))
  }

  #now(): string {
    return this.#o.now().toISOString()
  }
}

const refused = (field: string, message: string) =>
  new ServiceError('VALIDATION_ERROR', `${field} ${message}`, { details: [{ field, message }] })
