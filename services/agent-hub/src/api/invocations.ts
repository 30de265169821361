import { invocationSchema } from '@orchestrator/contract'
import {
  contentResponse,
  errorResponses,
  eventsQuerySchema,
  lastEventId,
  sendEvents,
  type Server,
} from '@orchestrator/server'
import * as z from 'zod'

import { idempotencyKeySchema } from './invoke.ts'
import { ORCHESTRATORS } from './callers.ts'
import type { Invocations } from '../core/invocations.ts'

const cancelByKeySchema = z.strictObject({ idempotency_key: idempotencyKeySchema })
const paramsSchema = z.strictObject({ id: z.uuid() })

export function registerInvocations(app: Server, invocations: Invocations): void {
  app.get(
    '/invocations/:id',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'One invocation',
        tags: ['invocations'],
        params: paramsSchema,
        response: { 200: invocationSchema, ...errorResponses('INVOCATION_NOT_FOUND') },
      },
    },
    (request) => invocations.getInvocation(request.params.id),
  )

  app.post(
    '/invocations/:id/cancel',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'Cancel it',
        description:
          'Reaches the agent, which may take some seconds to let go, also where it cannot be written down (507): ask again then. A finished invocation stays as it is.',
        tags: ['invocations'],
        params: paramsSchema,
        response: { 200: invocationSchema, ...errorResponses('INVOCATION_NOT_FOUND') },
      },
    },
    (request) => invocations.cancel(request.params.id),
  )

  app.post(
    '/invocations/cancel',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'Cancel the one with this Idempotency-Key',
        description: 'For a caller that sent the key and may have been cut off before it learnt the id.',
        tags: ['invocations'],
        body: cancelByKeySchema,
        response: { 200: invocationSchema, ...errorResponses('INVOCATION_NOT_FOUND') },
      },
    },
    (request) => invocations.cancelByKey(request.body.idempotency_key),
  )

  app.get(
    '/invocations/:id/events',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'What the agent does, as it does it',
        description:
          'Server-sent events; each `data` is an invocation event, its `sequence` the event’s id. Resumes after `Last-Event-ID`, ends after `invocation.finished`.',
        tags: ['invocations'],
        params: paramsSchema,
        querystring: eventsQuerySchema,
        response: {
          ...contentResponse('text/event-stream', 'Each `data` is an InvocationEvent, its id the sequence'),
          ...errorResponses('INVOCATION_NOT_FOUND'),
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params
      const after = lastEventId(request) ?? 0
      // An unknown id is an answer, not a stream that breaks off.
      await invocations.getInvocation(id)
      await sendEvents(request, reply, async function* (signal) {
        for await (const event of invocations.streamEvents(id, after, signal)) {
          yield { id: event.sequence, event: event.type, data: event }
        }
      })
    },
  )
}
