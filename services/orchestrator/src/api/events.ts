import { workflowIdSchema, type StreamEvent, type WorkflowId } from '@orchestrator/contract'
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

import type { EventFeed } from '../core/event-feed.ts'
import type { KeyWatch } from '../core/key-watch.ts'
import type { WorkflowStore } from '../core/ports.ts'
import { rolesFor } from '../core/privileges.ts'
import { getWorkflow } from './workflows.ts'

export interface EventRoutesOptions {
  store: WorkflowStore
  feed: EventFeed
  key_watch: KeyWatch
}

/** Server-sent events, resumable by `Last-Event-ID` or `?after=`. */
export function eventRoutes(app: Server, { store, feed, key_watch }: EventRoutesOptions): void {
  const tags = ['events']
  const response = contentResponse('text/event-stream', 'Each `data` is a StreamEvent, its id the sequence')

  app.get(
    '/events',
    {
      config: { roles: rolesFor('read') },
      schema: {
        tags,
        summary: 'Events of all workflows',
        querystring: eventsQuerySchema,
        response: { ...response, ...errorResponses() },
      },
    },
    (request, reply) => {
      const after = lastEventId(request)
      return sendEvents(request, reply, (leaving) =>
        frames(feed.subscribe({ after, signal: key_watch.follow(request.actor.key_id, leaving) })),
      )
    },
  )

  app.get(
    '/workflows/:id/events',
    {
      config: { roles: rolesFor('read') },
      schema: {
        tags,
        summary: 'Events of one workflow; from its beginning unless told where to resume',
        params: z.strictObject({ id: workflowIdSchema }),
        querystring: eventsQuerySchema,
        response: { ...response, ...errorResponses('INVALID_UUID', 'WORKFLOW_NOT_FOUND') },
      },
    },
    async (request, reply) => {
      const workflow_id: WorkflowId = (await getWorkflow(store, request.params.id)).id
      const after = lastEventId(request) ?? 0
      return sendEvents(request, reply, (leaving) =>
        frames(feed.subscribe({ after, workflow_id, signal: key_watch.follow(request.actor.key_id, leaving) })),
      )
    },
  )
}

async function* frames(events: AsyncIterable<StreamEvent>): AsyncGenerator<ServerSentEvent> {
  for await (const event of events) yield { id: event.sequence, event: event.type, data: event }
}
