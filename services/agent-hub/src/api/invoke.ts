import {
  invocationSchema,
  invokeRequestSchema,
  invokeResponseSchema,
  nameSchema,
  ServiceError,
} from '@orchestrator/contract'
import { errorResponses, type Server } from '@orchestrator/server'
import * as z from 'zod'

import { ORCHESTRATORS } from './callers.ts'
import type { Invocations } from '../core/invocations.ts'
import { isTimeout } from '../core/outcome.ts'
import { isFinished } from '../core/store.ts'

export const idempotencyKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,200}$/, 'must be 1 to 200 printable characters without blanks')

const headersSchema = z.looseObject({
  'idempotency-key': idempotencyKeySchema
    .optional()
    .describe('The same key never runs twice: it answers the running or finished invocation'),
  prefer: z.string().optional().describe('`respond-async` answers 202 at once'),
})

/** RFC 7240: preferences between commas, of which this one takes no value. */
function prefersAsync(prefer: string | undefined): boolean {
  return (prefer ?? '').split(',').some((preference) => /^\s*respond-async\s*(;|$)/i.test(preference))
}

export function registerInvoke(app: Server, invocations: Invocations): void {
  app.post(
    '/invoke/:agent',
    {
      config: ORCHESTRATORS,
      schema: {
        summary: 'Let an agent work',
        description:
          'Waits for the agent and answers 200; with `Prefer: respond-async` answers 202 at once. A plain call without an `Idempotency-Key` is cancelled when its caller leaves.',
        tags: ['invocations'],
        params: z.strictObject({ agent: nameSchema.describe('`default` is the hub’s own default') }),
        headers: headersSchema,
        body: invokeRequestSchema,
        response: {
          200: invokeResponseSchema,
          202: invocationSchema,
          ...errorResponses(
            'AGENT_NOT_FOUND',
            'WORKSPACE_NOT_FOUND',
            'IDEMPOTENCY_MISMATCH',
            'AGENT_UNAVAILABLE',
            'UNAVAILABLE',
            'AGENT_TIMEOUT',
          ),
        },
      },
    },
    async (request, reply) => {
      const idempotency_key = request.headers['idempotency-key'] ?? null
      const { agent } = request.params
      // Listened for before anything is awaited: a caller may leave while its call is being written down.
      const leaving = new AbortController()
      reply.raw.on('close', () => leaving.abort())
      if (reply.raw.destroyed) leaving.abort()
      const invocation = await invocations.invoke({
        agent,
        request: request.body,
        idempotency_key,
        traceparent: request.traceparent,
      })
      if (prefersAsync(request.headers.prefer)) {
        reply.header('location', `/invocations/${invocation.id}`).header('preference-applied', 'respond-async')
        return reply.code(202).send(invocation)
      }
      const finished = await invocations.waitFor(invocation.id, leaving.signal)
      if (!isFinished(finished) || finished.response === null) {
        // Nobody could ever ask for the answer of a call without a key, whether its caller left or the hub stops.
        if (idempotency_key === null) await invocations.cancel(invocation.id)
        throw new ServiceError(
          'UNAVAILABLE',
          idempotency_key === null
            ? 'The Agent Hub stopped before the agent was done, and cancelled it. Try again in a moment.'
            : 'The Agent Hub stopped before the agent was done. It goes on after the restart: ask again with the same Idempotency-Key.',
        )
      }
      if (isTimeout(finished.response)) {
        throw new ServiceError('AGENT_TIMEOUT', finished.response.error ?? 'The agent took too long.')
      }
      return reply.code(200).send(finished.response)
    },
  )
}
