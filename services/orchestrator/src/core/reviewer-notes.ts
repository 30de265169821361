import { createHash } from 'node:crypto'

import {
  ServiceError,
  type AnswerQuestion,
  type AttemptId,
  type Checklist,
  type ChecklistItem,
  type ChecklistPage,
  type FeatureId,
  type Question,
  type QuestionPage,
  type TickItem,
  type WorkflowId,
} from '@orchestrator/contract'
import { checklistItems, openQuestions } from '@orchestrator/spec-kit'

import type { AnswerRecord, Document, NoteStore, TickRecord } from './note-store.ts'
import type { Clock, WorkflowStore, WorkflowTransaction } from './ports.ts'
import * as sentences from './sentences.ts'
import { currentAttempt, getWorkflow } from './workflow-steps.ts'

/** More of either no person goes through. */
const LISTED_MAX = 1000

/** What every note is about. */
type Common = Pick<AnswerRecord, 'workflow_id' | 'attempt_id' | 'digest' | 'created_at'>

export interface ReviewerNotesOptions {
  store: WorkflowStore
  notes: NoteStore
  clock: Clock
}

/** Beside the verdict: answers to what the current attempt leaves open, and ticks of its checklists. */
export class ReviewerNotes {
  readonly #o: ReviewerNotesOptions

  constructor(o: ReviewerNotesOptions) {
    this.#o = o
  }

  /** Of the current attempt; none while it has not ended. Throws WORKFLOW_NOT_FOUND. */
  async listQuestions(id: WorkflowId): Promise<QuestionPage> {
    const { attempt_id, digest } = await this.#current(id)
    return { items: await this.#questionsOf(attempt_id), next_cursor: null, attempt_id, digest }
  }

  /** Throws WORKFLOW_NOT_FOUND, QUESTION_NOT_FOUND, INVALID_STATE_TRANSITION, STALE_REVIEW. */
  async answer(id: WorkflowId, question_id: string, body: AnswerQuestion, actor: string): Promise<Question> {
    const { attempt_id } = await this.#current(id)
    const question = (await this.#questionsOf(attempt_id)).find((known) => known.id === question_id)
    if (question === undefined) throw new ServiceError('QUESTION_NOT_FOUND', sentences.unknownQuestion(question_id))
    const { answer } = body
    return this.#note(id, attempt_id, body.digest, async (tx, common) => {
      const { path, line, text } = question
      const { created_at } = common
      await tx.recordAnswer({ ...common, question_id, question: text, path, line, answer, actor })
      const answered = { ...question, ...told({ answer, actor, created_at }) }
      const data = { attempt_id, question: answered }
      await tx.appendEvent({ type: 'question.answered', workflow_id: id, created_at, data })
      return answered
    })
  }

  /** Of the current attempt. Throws WORKFLOW_NOT_FOUND. */
  async listChecklists(id: WorkflowId): Promise<ChecklistPage> {
    const { attempt_id, digest } = await this.#current(id)
    return { items: await this.#checklistsOf(attempt_id), next_cursor: null, attempt_id, digest }
  }

  /** Throws WORKFLOW_NOT_FOUND, CHECKLIST_ITEM_NOT_FOUND, INVALID_STATE_TRANSITION, STALE_REVIEW. */
  async tick(
    id: WorkflowId,
    item_id: string,
    { ticked, digest: seen }: TickItem,
    actor: string,
  ): Promise<ChecklistItem> {
    const { attempt_id } = await this.#current(id)
    const found = (await this.#checklistsOf(attempt_id))
      .flatMap(({ path, items }) => items.map((item) => ({ path, item })))
      .find(({ item }) => item.id === item_id)
    if (found === undefined) throw new ServiceError('CHECKLIST_ITEM_NOT_FOUND', sentences.unknownItem(item_id))
    const { path, item } = found
    return this.#note(id, attempt_id, seen, async (tx, common, feature_id) => {
      const { created_at } = common
      await tx.recordTick({ ...common, feature_id, item_id, path, label: item.label, ticked, actor })
      const noted: ChecklistItem = { ...item, ticked, ticked_by: actor, ticked_at: created_at }
      const data = { attempt_id, path, item: noted }
      await tx.appendEvent({ type: 'checklist.ticked', workflow_id: id, created_at, data })
      return noted
    })
  }

  async #current(id: WorkflowId) {
    const { id: attempt_id, digest } = currentAttempt(await getWorkflow(this.#o.store, id))
    return { attempt_id, digest }
  }

  /** In one commit, while the attempt that was looked at is still the one to be reviewed. */
  #note<T>(
    id: WorkflowId,
    attempt_id: AttemptId,
    seen: string | undefined,
    write: (tx: WorkflowTransaction, common: Common, feature_id: FeatureId) => Promise<T>,
  ): Promise<T> {
    return this.#o.store.write(async (tx) => {
      const workflow = await getWorkflow(tx, id)
      const attempt = currentAttempt(workflow)
      if (attempt.id !== attempt_id || (seen !== undefined && seen !== attempt.digest)) {
        throw new ServiceError('STALE_REVIEW', sentences.staleReview(workflow.feature_id))
      }
      if (workflow.status !== 'waiting_approval') {
        throw new ServiceError('INVALID_STATE_TRANSITION', sentences.notUnderReview(workflow.status))
      }
      const { feature_id } = workflow
      const created_at = this.#o.clock.now().toISOString()
      const common = { workflow_id: id, attempt_id, digest: attempt.digest, created_at }
      return write(tx, common, feature_id)
    })
  }

  async #questionsOf(attempt_id: AttemptId): Promise<Question[]> {
    const { notes } = this.#o
    const in_documents = (await notes.listDocuments(attempt_id)).flatMap(questionsIn)
    const asked = new Set(in_documents.map(({ text }) => text))
    const beside = (await notes.listUncertainties(attempt_id)).filter((text) => !asked.has(text))
    const { answers } = await notes.listNotes(attempt_id)
    const answer_to = new Map(answers.map((answer) => [answer.question_id, answer]))
    return [...in_documents, ...numbered(beside.map((text) => ({ path: null, line: null, text })))]
      .slice(0, LISTED_MAX)
      .map((question) => ({ ...question, ...told(answer_to.get(question.id)) }))
  }

  async #checklistsOf(attempt_id: AttemptId): Promise<Checklist[]> {
    const { notes } = this.#o
    const { ticks } = await notes.listNotes(attempt_id)
    const tick_of = new Map(ticks.map((tick) => [tick.item_id, tick]))
    const documents = (await notes.listDocuments(attempt_id)).filter(({ path }) => path.includes('/checklists/'))
    return documents.map((document) => checklistIn(document, tick_of)).filter(({ items }) => items.length > 0)
  }
}

const questionsIn = ({ path, text }: Document) =>
  numbered(openQuestions(text).map((question) => ({ path, line: question.line, text: question.text })))

/** The same words may be asked twice in one document. */
function numbered<T extends { path: string | null; text: string }>(questions: readonly T[]): (T & { id: string })[] {
  const seen = new Map<string, number>()
  return questions.map((question) => {
    const count = (seen.get(question.text) ?? 0) + 1
    seen.set(question.text, count)
    return { ...question, id: noteId(question.path ?? '', question.text, count) }
  })
}

function checklistIn({ path, text }: Document, tick_of: ReadonlyMap<string, TickRecord>): Checklist {
  const seen = new Map<string, number>()
  const items = checklistItems(text)
    .slice(0, LISTED_MAX)
    .map(({ id: label, text, line, ticked }): ChecklistItem => {
      const count = (seen.get(label) ?? 0) + 1
      seen.set(label, count)
      const id = noteId(path, label, count)
      const tick = tick_of.get(id)
      return {
        id,
        label,
        text,
        line,
        ticked: tick?.ticked ?? ticked,
        ticked_by: tick?.actor ?? null,
        ticked_at: tick?.created_at ?? null,
      }
    })
  return { path, ticked: items.filter((item) => item.ticked).length, items }
}

const noteId = (path: string, text: string, count: number): string =>
  createHash('sha256')
    .update(JSON.stringify([path, text, count]))
    .digest('hex')
    .slice(0, 16)

/** Nobody answered where nothing stands, or what stood was taken back. */
function told(answer: Pick<AnswerRecord, 'answer' | 'actor' | 'created_at'> | undefined) {
  return answer === undefined || answer.answer === null
    ? { answer: null, answered_by: null, answered_at: null }
    : { answer: answer.answer, answered_by: answer.actor, answered_at: answer.created_at }
}
