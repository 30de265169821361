import { workflowIdSchema, type StreamReset, type WorkflowId } from '@orchestrator/contract'
import {
  contentResponse,
  errorResponses,
  eventsQuerySchema,
  lastEventId,
  sendEvents,
  type Server,
  type ServerSentEvent,
} from '@orchestrator/server'
import * as z from 'zod'

import type { EventFeed, Subscription } from '../core/event-feed.ts'
import type { KeyWatch } from '../core/key-watch.ts'
import type { WorkflowStore } from '../core/ports.ts'
import { rolesFor } from '../core/privileges.ts'
import type { Scope, Scopes } from '../core/scope.ts'
import { getWorkflow } from './workflows.ts'

export interface EventRoutesOptions {
  store: WorkflowStore
  feed: EventFeed
  key_watch: KeyWatch
  scopes: Scopes
}

/** Server-sent events, resumable by `Last-Event-ID` or `?after=`; a `reset` says that what came in between is no longer kept. */
export function eventRoutes(app: Server, { store, feed, key_watch, scopes }: EventRoutesOptions): void {
  const tags = ['events']
  const response = contentResponse('text/event-stream', 'Each `data` is a StreamEvent, its id the sequence')

  /** Whoever asks to go on after an event that is no longer kept is told once that something was missed. */
  async function* frames({ after, ...o }: Subscription, scope: Scope = null): AsyncGenerator<ServerSentEvent> {
    const removed = after === undefined ? 0 : await store.removedUpTo()
    const isPast = after !== undefined && after < removed
    if (isPast) yield { id: removed, event: 'reset', data: { sequence: removed } satisfies StreamReset }
    const from = isPast ? removed : (after ?? (o.workflow_id === undefined ? undefined : 0))
    for await (const event of feed.subscribe({ ...o, after: from })) {
      const { sequence: id, workflow_id, type } = event
      const isTold = scope === null || workflow_id === null || (await scopes.hasWorkflow(scope, workflow_id))
      if (isTold) yield { id, event: type, data: event }
    }
  }

  app.get(
    '/events',
    {
      config: { roles: rolesFor('read'), scope: 'limited' },
      schema: {
        tags,
        summary: 'Events of all workflows that your key is for',
        querystring: eventsQuerySchema,
        response: { ...response, ...errorResponses('UNAVAILABLE') },
      },
    },
    (request, reply) => {
      const after = lastEventId(request)
      return sendEvents(request, reply, (leaving) =>
        frames({ after, signal: key_watch.follow(request.actor.key_id, leaving) }, request.actor.workspaces),
      )
    },
  )

  app.get(
    '/workflows/:id/events',
    {
      config: { roles: rolesFor('read'), scope: 'workflow' },
      schema: {
        tags,
        summary: 'Events of one workflow; from its beginning unless told where to resume',
        params: z.strictObject({ id: workflowIdSchema }),
        querystring: eventsQuerySchema,
        response: { ...response, ...errorResponses('INVALID_UUID', 'WORKFLOW_NOT_FOUND', 'UNAVAILABLE') },
      },
    },
    async (request, reply) => {
      const workflow_id: WorkflowId = (await getWorkflow(store, request.params.id)).id
      const after = lastEventId(request)
      return sendEvents(request, reply, (leaving) =>
        frames({ after, workflow_id, signal: key_watch.follow(request.actor.key_id, leaving) }),
      )
    },
  )
}
