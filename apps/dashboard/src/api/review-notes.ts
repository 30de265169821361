import type { AnswerQuestion, ChecklistItem, Question, ReviewDraft, SaveDraft, TickItem } from '@orchestrator/contract'

import { request } from './request.ts'

const of = (workflow_id: string) => `/workflows/${workflow_id}`

/** Keeps a draft; refused as DRAFT_CLOSED once it was sent. */
export const saveDraft = (workflow_id: string, id: string, body: SaveDraft) =>
  request<ReviewDraft>(`${of(workflow_id)}/drafts/${id}`, { method: 'PUT', body })

export const deleteDraft = (workflow_id: string, id: string) =>
  request<void>(`${of(workflow_id)}/drafts/${id}`, { method: 'DELETE' })

/** Marks a file or a block as read, by its digest, or takes the mark away. */
export const markViewed = (workflow_id: string, digest: string, viewed: boolean) =>
  request<void>(`${of(workflow_id)}/viewed/${digest}`, { method: viewed ? 'PUT' : 'DELETE' })

/** Of the attempt that waits; with its digest, so that none is given to what nobody saw. */
export const answerQuestion = (workflow_id: string, question_id: string, body: AnswerQuestion) =>
  request<Question>(`${of(workflow_id)}/questions/${question_id}`, { method: 'PUT', body })

export const tickItem = (workflow_id: string, item_id: string, body: TickItem) =>
  request<ChecklistItem>(`${of(workflow_id)}/checklist-items/${item_id}`, { method: 'PUT', body })
