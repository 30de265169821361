import {
  actOnEscalationSchema,
  askRequestSchema,
  askResponseSchema,
  createHubSessionSchema,
  escalationPageSchema,
  escalationSchema,
  exchangePageSchema,
  featureIdSchema,
  hubSessionSchema,
  nameSchema,
} from '@orchestrator/contract'
import { errorResponses, pageQuerySchema, readPage, type Server } from '@orchestrator/server'
import type { FastifyReply } from 'fastify'
import * as z from 'zod'

import { ORCHESTRATORS } from './callers.ts'
import type { Asks } from '../core/asks.ts'
import type { ConversationStore } from '../core/conversation-store.ts'
import type { Escalations } from '../core/escalations.ts'
import type { Sessions } from '../core/sessions.ts'

export interface ConversationRoutes {
  asks: Asks
  escalations: Escalations
  sessions: Sessions
  conversations: Pick<ConversationStore, 'listEscalations' | 'listExchanges'>
}

const paramsSchema = z.strictObject({ id: z.uuid() })
const ASK_ERRORS = [
  'AGENT_NOT_FOUND',
  'SESSION_NOT_FOUND',
  'AGENT_UNAVAILABLE',
  'AGENT_TIMEOUT',
  'UNAVAILABLE',
] as const

/** Aborts when the caller leaves: nobody could ask for the answer again. */
function leaving(reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  reply.raw.on('close', () => controller.abort())
  return controller.signal
}

/** Questions, the people they go to, the sessions they belong to, and the record of it all. */
export function registerConversations(app: Server, hub: ConversationRoutes): void {
  app.post(
    '/ask/:topic',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'Ask an agent about a feature',
        description:
          'Answered by the session’s agent, or the hub’s default. Below the hub’s confidence threshold (`ASK_CONFIDENCE`) the status is `pending_human` and an escalation is opened. A question changes no file.',
        tags: ['conversations'],
        params: z.strictObject({ topic: nameSchema }),
        body: askRequestSchema,
        response: { 200: askResponseSchema, ...errorResponses(...ASK_ERRORS) },
      },
    },
    (request, reply) => hub.asks.ask({ ...request.body, topic: request.params.topic }, leaving(reply)),
  )

  app.get(
    '/escalations',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'Questions for people',
        tags: ['conversations'],
        querystring: pageQuerySchema.extend({
          status: z.enum(['pending', 'resolved']).optional(),
          feature_id: featureIdSchema.optional(),
        }),
        response: { 200: escalationPageSchema },
      },
    },
    ({ query }) =>
      readPage(query, async (after, limit) =>
        hub.conversations.listEscalations({ status: query.status, feature_id: query.feature_id, after, limit }),
      ),
  )

  app.get(
    '/escalations/:id',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'One question for a person',
        tags: ['conversations'],
        params: paramsSchema,
        response: { 200: escalationSchema, ...errorResponses('ESCALATION_NOT_FOUND') },
      },
    },
    (request) => hub.escalations.get(request.params.id),
  )

  app.post(
    '/escalations/:id',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'Confirm, correct or help',
        description:
          '`confirm` takes the agent’s answer, `correct` replaces it, `add_context` asks the agent once more with what it should know: sure enough then, it is resolved, else it stays pending.',
        tags: ['conversations'],
        params: paramsSchema,
        body: actOnEscalationSchema,
        response: {
          200: escalationSchema,
          ...errorResponses('ESCALATION_NOT_FOUND', 'INVALID_STATE_TRANSITION', ...ASK_ERRORS),
        },
      },
    },
    (request, reply) =>
      hub.escalations.act(request.params.id, {
        given: request.body,
        actor: request.actor.name,
        signal: leaving(reply),
      }),
  )

  app.post(
    '/sessions',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'Begin a conversation',
        tags: ['conversations'],
        body: createHubSessionSchema,
        response: {
          201: hubSessionSchema,
          ...errorResponses('AGENT_NOT_FOUND', 'WORKSPACE_NOT_FOUND', 'AGENT_UNAVAILABLE'),
        },
      },
    },
    async (request, reply) => {
      const session = await hub.sessions.create(request.body)
      return reply.code(201).header('location', `/sessions/${session.id}`).send(session)
    },
  )

  app.get(
    '/sessions/:id',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'One conversation',
        tags: ['conversations'],
        params: paramsSchema,
        response: { 200: hubSessionSchema, ...errorResponses('SESSION_NOT_FOUND') },
      },
    },
    (request) => hub.sessions.get(request.params.id),
  )

  app.delete(
    '/sessions/:id',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'End a conversation',
        description: 'Its agent is ended and its HOME removed. What it did stays.',
        tags: ['conversations'],
        params: paramsSchema,
        response: { 204: z.null(), ...errorResponses('SESSION_NOT_FOUND', 'FEATURE_BUSY') },
      },
    },
    async (request, reply) => {
      await hub.sessions.close(request.params.id)
      return reply.code(204).send(null)
    },
  )

  app.get(
    '/exchanges',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'Every turn of every agent',
        description: 'The audit log, oldest first: digests of prompt and answer, agent, session, time.',
        tags: ['conversations'],
        querystring: pageQuerySchema.extend({ feature_id: featureIdSchema.optional() }),
        response: { 200: exchangePageSchema },
      },
    },
    ({ query }) =>
      readPage(query, async (after, limit) =>
        hub.conversations.listExchanges({ feature_id: query.feature_id, after, limit }),
      ),
  )
}
