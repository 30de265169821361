import {
  answerQuestionSchema,
  checklistItemSchema,
  checklistPageSchema,
  noteIdSchema,
  questionPageSchema,
  questionSchema,
  tickItemSchema,
  workflowIdSchema,
} from '@orchestrator/contract'
import { errorResponses, type Server } from '@orchestrator/server'
import * as z from 'zod'

import { rolesFor } from '../core/privileges.ts'
import type { ReviewerNotes } from '../core/reviewer-notes.ts'

const params = z.strictObject({ id: workflowIdSchema })
const tags = ['reviews']
const notFound = errorResponses('INVALID_UUID', 'WORKFLOW_NOT_FOUND')

/** Beside the verdict: what the current attempt leaves open, and its checklists. */
export function reviewerNoteRoutes(app: Server, { notes }: { notes: ReviewerNotes }): void {
  app.get(
    '/workflows/:id/questions',
    {
      config: { roles: rolesFor('read'), scope: 'workflow' },
      schema: {
        tags,
        summary: 'What the current attempt leaves open, with the answers so far',
        params,
        response: { 200: questionPageSchema, ...notFound },
      },
    },
    (request) => notes.listQuestions(request.params.id),
  )

  app.put(
    '/workflows/:id/questions/:question_id',
    {
      config: { roles: rolesFor('answer'), scope: 'workflow' },
      schema: {
        tags,
        summary: 'Answer an open question; the agent gets the answer with the next attempt',
        params: params.extend({ question_id: noteIdSchema }),
        body: answerQuestionSchema,
        response: { 200: questionSchema, ...notFound, ...noteErrors('QUESTION_NOT_FOUND') },
      },
    },
    (request) => {
      const { id, question_id } = request.params
      return notes.answer(id, question_id, request.body, request.actor.name)
    },
  )

  app.get(
    '/workflows/:id/checklists',
    {
      config: { roles: rolesFor('read'), scope: 'workflow' },
      schema: {
        tags,
        summary: 'The checklists of the current attempt, with the ticks so far',
        params,
        response: { 200: checklistPageSchema, ...notFound },
      },
    },
    (request) => notes.listChecklists(request.params.id),
  )

  app.put(
    '/workflows/:id/checklist-items/:item_id',
    {
      config: { roles: rolesFor('tick'), scope: 'workflow' },
      schema: {
        tags,
        summary: 'Tick or untick an item; the repository’s file gets it before the next phase',
        params: params.extend({ item_id: noteIdSchema }),
        body: tickItemSchema,
        response: { 200: checklistItemSchema, ...notFound, ...noteErrors('CHECKLIST_ITEM_NOT_FOUND') },
      },
    },
    (request) => {
      const { id, item_id } = request.params
      return notes.tick(id, item_id, request.body, request.actor.name)
    },
  )
}

function noteErrors(unknown: 'QUESTION_NOT_FOUND' | 'CHECKLIST_ITEM_NOT_FOUND') {
  return errorResponses('WORKFLOW_NOT_FOUND', unknown, 'INVALID_STATE_TRANSITION', 'STALE_REVIEW', 'STORAGE_FULL')
}
