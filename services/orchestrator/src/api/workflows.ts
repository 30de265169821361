import {
  advanceWorkflowSchema,
  attemptDiffQuerySchema,
  attemptDiffSchema,
  attemptPageSchema,
  cancelWorkflowSchema,
  createWorkflowSchema,
  historyPageSchema,
  listWorkflowsQuerySchema,
  POSTED_TRIGGERS,
  ServiceError,
  workflowIdSchema,
  workflowPageSchema,
  workflowSchema,
  type Workflow,
  type WorkflowId,
} from '@orchestrator/contract'
import { errorResponses, pageQuerySchema, type Server } from '@orchestrator/server'
import * as z from 'zod'

import { diffAttempts, type DiffText } from '../core/attempt-diff.ts'
import { cursorOf } from '../core/cursor.ts'
import type { ApprovalRules } from '../core/approval-rules.ts'
import type { WorkflowStore } from '../core/ports.ts'
import { assertMay, goesByOwner, rolesFor, type Asker } from '../core/privileges.ts'
import { unknownWorkflow } from '../core/sentences.ts'
import type { WorkflowStateMachine } from '../core/state-machine.ts'
import { askerOf } from './asker.ts'
import { idempotencyHeadersSchema, idempotencyOf } from './idempotency-key.ts'

const params = z.strictObject({ id: workflowIdSchema })
const tags = ['workflows']

export interface WorkflowRoutesOptions {
  store: WorkflowStore
  machine: WorkflowStateMachine
  approvals: Pick<ApprovalRules, 'show'>
  diffText: DiffText
}

/** The seed's routes, and the lists beside them. */
export function workflowRoutes(app: Server, { store, machine, approvals, diffText }: WorkflowRoutesOptions): void {
  const show = async (workflow: Workflow): Promise<Workflow> => (await approvals.show([workflow]))[0] ?? workflow

  app.post(
    '/workflows',
    {
      config: { roles: rolesFor('create'), scope: 'limited' },
      schema: {
        tags,
        summary: 'Create a workflow; its first phase starts by itself',
        headers: idempotencyHeadersSchema,
        body: createWorkflowSchema,
        response: {
          201: workflowSchema,
          ...errorResponses(
            'INVALID_WORKFLOW_TYPE',
            'FEATURE_NOT_FOUND',
            'WORKSPACE_NOT_FOUND',
            'FEATURE_BUSY',
            'QUOTA_EXCEEDED',
            'IDEMPOTENCY_IN_FLIGHT',
            'IDEMPOTENCY_MISMATCH',
            'UNAVAILABLE',
            'STORAGE_FULL',
          ),
        },
      },
    },
    async (request, reply) => {
      const workflow = await machine.create(request.body, askerOf(request), idempotencyOf(request))
      return reply.code(201).header('location', `/workflows/${workflow.id}`).send(workflow)
    },
  )

  app.get(
    '/workflows',
    {
      config: { roles: rolesFor('read'), scope: 'limited' },
      schema: {
        tags,
        summary: 'List workflows, newest first',
        querystring: listWorkflowsQuerySchema,
        response: { 200: workflowPageSchema, ...errorResponses() },
      },
    },
    async (request) => {
      const page = await store.listWorkflows(request.query, request.actor.workspaces)
      return { ...page, items: await approvals.show(page.items) }
    },
  )

  app.get(
    '/workflows/:id',
    {
      config: { roles: rolesFor('read'), scope: 'workflow' },
      schema: { tags, summary: 'Get a workflow', params, response: { 200: workflowSchema, ...notFound } },
    },
    async (request) => show(await getWorkflow(store, request.params.id)),
  )

  app.post(
    '/workflows/:id/advance',
    {
      config: { roles: rolesFor(...POSTED_TRIGGERS), scope: 'workflow' },
      schema: {
        tags,
        summary: 'Post a trigger: a verdict, or what an external system did',
        params,
        headers: idempotencyHeadersSchema,
        body: advanceWorkflowSchema,
        response: {
          200: workflowSchema,
          ...notFound,
          ...errorResponses(
            'INVALID_UUID',
            'INVALID_TRIGGER',
            'INVALID_STATE_TRANSITION',
            'WORKFLOW_NOT_FOUND',
            'STALE_REVIEW',
            'ALREADY_APPROVED',
            'IDEMPOTENCY_IN_FLIGHT',
            'IDEMPOTENCY_MISMATCH',
            'STORAGE_FULL',
          ),
        },
      },
    },
    async (request) => {
      assertMay(request.actor, request.body.trigger)
      return show(await machine.advance(request.params.id, request.body, askerOf(request), idempotencyOf(request)))
    },
  )

  app.post(
    '/workflows/:id/cancel',
    {
      config: { roles: rolesFor('cancel'), scope: 'workflow' },
      schema: {
        tags,
        summary: 'Cancel a workflow that has not ended, and reach its agent',
        params,
        headers: idempotencyHeadersSchema,
        body: cancelWorkflowSchema.optional(),
        response: {
          200: workflowSchema,
          ...errorResponses(
            'INVALID_UUID',
            'INVALID_STATE_TRANSITION',
            'WORKFLOW_NOT_FOUND',
            'IDEMPOTENCY_IN_FLIGHT',
            'IDEMPOTENCY_MISMATCH',
          ),
        },
      },
    },
    async (request) => {
      await assertMayTouch(store, request.actor, 'cancel', request.params.id)
      return machine.cancel(request.params.id, request.body?.reason, askerOf(request), idempotencyOf(request))
    },
  )

  app.post(
    '/workflows/:id/retry',
    {
      config: { roles: rolesFor('retry'), scope: 'workflow' },
      schema: {
        tags,
        summary: 'A new workflow for the same feature in place of a failed one',
        params,
        headers: idempotencyHeadersSchema,
        response: {
          201: workflowSchema,
          ...errorResponses(
            'INVALID_UUID',
            'INVALID_STATE_TRANSITION',
            'WORKFLOW_NOT_FOUND',
            'FEATURE_BUSY',
            'QUOTA_EXCEEDED',
            'IDEMPOTENCY_IN_FLIGHT',
            'IDEMPOTENCY_MISMATCH',
          ),
        },
      },
    },
    async (request, reply) => {
      await assertMayTouch(store, request.actor, 'retry', request.params.id)
      const workflow = await machine.retry(request.params.id, askerOf(request), idempotencyOf(request))
      return reply.code(201).header('location', `/workflows/${workflow.id}`).send(workflow)
    },
  )

  app.get(
    '/workflows/:id/history',
    {
      config: { roles: rolesFor('read'), scope: 'workflow' },
      schema: {
        tags,
        summary: 'Every transition: who, what, when, why',
        params,
        querystring: pageQuerySchema,
        response: { 200: historyPageSchema, ...notFound },
      },
    },
    async (request) => {
      const { id } = await getWorkflow(store, request.params.id)
      const { limit } = request.query
      const rows = await store.listHistory(id, cursorOf(request.query.cursor) ?? 0, limit + 1)
      const items = rows.slice(0, limit)
      return { items, next_cursor: rows.length > limit ? String(items.at(-1)?.sequence) : null }
    },
  )

  app.get(
    '/workflows/:id/attempts',
    {
      config: { roles: rolesFor('read'), scope: 'workflow' },
      schema: {
        tags,
        summary: 'Every attempt, with its artifacts, checks and review',
        params,
        response: { 200: attemptPageSchema, ...notFound },
      },
    },
    async (request) => {
      const { id } = await getWorkflow(store, request.params.id)
      return { items: await store.listAttempts(id), next_cursor: null }
    },
  )

  app.get(
    '/workflows/:id/diff',
    {
      config: { roles: rolesFor('read'), scope: 'workflow' },
      schema: {
        tags,
        summary: 'What the files of one attempt have that those of another have not, as unified diffs',
        params,
        querystring: attemptDiffQuerySchema,
        response: {
          200: attemptDiffSchema,
          ...errorResponses('INVALID_UUID', 'WORKFLOW_NOT_FOUND', 'ATTEMPT_NOT_FOUND'),
        },
      },
    },
    async (request) => {
      const { id } = await getWorkflow(store, request.params.id)
      const { from, to } = request.query
      return diffAttempts({ store, diffText }, await store.listAttempts(id), from, to)
    },
  )
}

const notFound = errorResponses('INVALID_UUID', 'WORKFLOW_NOT_FOUND')

/** Who created a workflow never changes, so that this may be asked before the transaction. Throws FORBIDDEN, WORKFLOW_NOT_FOUND. */
async function assertMayTouch(
  store: WorkflowStore,
  asker: Pick<Asker, 'name' | 'role'>,
  action: 'cancel' | 'retry',
  id: WorkflowId,
) {
  if (goesByOwner(asker, action)) assertMay(asker, action, (await getWorkflow(store, id)).created_by)
  else assertMay(asker, action)
}

/** Throws WORKFLOW_NOT_FOUND. */
export async function getWorkflow(store: WorkflowStore, id: WorkflowId): Promise<Workflow> {
  const workflow = await store.findWorkflow(id)
  if (workflow === undefined) throw new ServiceError('WORKFLOW_NOT_FOUND', unknownWorkflow(id))
  return workflow
}
