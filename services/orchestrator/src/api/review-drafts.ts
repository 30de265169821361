import {
  digestSchema,
  draftPageSchema,
  reviewDraftSchema,
  saveDraftSchema,
  viewedPageSchema,
  workflowIdSchema,
  type WorkflowId,
} from '@orchestrator/contract'
import { errorResponses, type Actor, type Server } from '@orchestrator/server'
import * as z from 'zod'

import { rolesFor } from '../core/privileges.ts'
import type { DraftOwner, ReviewDrafts } from '../core/review-drafts.ts'

const tags = ['reviews']
const params = z.strictObject({ id: workflowIdSchema })
const draft_params = params.extend({ draft_id: z.uuid() })
const viewed_params = params.extend({ digest: digestSchema })
const notFound = errorResponses('INVALID_UUID', 'WORKFLOW_NOT_FOUND')

/** What is a reviewer's own until the verdict: nobody else sees it, and no verdict is given by it. */
export function reviewDraftRoutes(app: Server, { drafts }: { drafts: ReviewDrafts }): void {
  const config = { roles: rolesFor('review'), scope: 'workflow' } as const

  app.get(
    '/workflows/:id/drafts',
    {
      config,
      schema: {
        tags,
        summary: 'Your drafts, on whichever attempt, oldest first',
        params,
        response: { 200: draftPageSchema, ...notFound },
      },
    },
    async (request) => ({ items: await drafts.list(ownerOf(request)), next_cursor: null }),
  )

  app.put(
    '/workflows/:id/drafts/:draft_id',
    {
      config,
      schema: {
        tags,
        summary: 'Keep a draft under an id that you chose; again with each change',
        params: draft_params,
        body: saveDraftSchema,
        response: {
          200: reviewDraftSchema,
          ...errorResponses('INVALID_UUID', 'WORKFLOW_NOT_FOUND', 'DRAFT_CLOSED', 'STORAGE_FULL'),
        },
      },
    },
    (request) => drafts.save(ownerOf(request), request.params.draft_id, request.body),
  )

  app.delete(
    '/workflows/:id/drafts/:draft_id',
    {
      config,
      schema: {
        tags,
        summary: 'Delete a draft; done as well when it is not there',
        params: draft_params,
        response: { 204: z.null(), ...notFound },
      },
    },
    async (request, reply) => {
      await drafts.delete(ownerOf(request), request.params.draft_id)
      return reply.code(204).send(null)
    },
  )

  app.get(
    '/workflows/:id/viewed',
    {
      config,
      schema: {
        tags,
        summary: 'What you have marked as read, by digest',
        params,
        response: { 200: viewedPageSchema, ...notFound },
      },
    },
    async (request) => ({ items: await drafts.listViewed(ownerOf(request)), next_cursor: null }),
  )

  app.put(
    '/workflows/:id/viewed/:digest',
    {
      config,
      schema: {
        tags,
        summary: 'Mark a file or a block as read',
        params: viewed_params,
        response: { 204: z.null(), ...notFound },
      },
    },
    async (request, reply) => {
      await drafts.markViewed(ownerOf(request), request.params.digest)
      return reply.code(204).send(null)
    },
  )

  app.delete(
    '/workflows/:id/viewed/:digest',
    {
      config,
      schema: {
        tags,
        summary: 'Take the mark away',
        params: viewed_params,
        response: { 204: z.null(), ...notFound },
      },
    },
    async (request, reply) => {
      await drafts.unmarkViewed(ownerOf(request), request.params.digest)
      return reply.code(204).send(null)
    },
  )
}

const ownerOf = (request: { params: { id: WorkflowId }; actor: Actor }): DraftOwner => ({
  workflow_id: request.params.id,
  actor: request.actor.name,
})
