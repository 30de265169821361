import { pauseQueueSchema, queueSchema } from '@orchestrator/contract'
import { errorResponses, type Server } from '@orchestrator/server'

import { rolesFor } from '../core/privileges.ts'
import type { QueueSwitch } from '../core/queue-switch.ts'
import { askerOf } from './asker.ts'

/** The queue of phases: how full it is, and the switch that stops the handing out. */
export function queueRoutes(app: Server, { queue_switch }: { queue_switch: QueueSwitch }): void {
  const tags = ['queue']
  const response = { 200: queueSchema, ...errorResponses() }

  app.get(
    '/queue',
    {
      config: { roles: rolesFor('read'), scope: 'shared' },
      schema: { tags, summary: 'What waits for a slot, and whether it is paused', response },
    },
    () => queue_switch.describe(),
  )

  app.post(
    '/queue/pause',
    {
      config: { roles: rolesFor('manage_queue') },
      schema: {
        tags,
        summary: 'Hand out no more work, on any replica; what runs goes on',
        body: pauseQueueSchema.optional(),
        response: { ...response, ...errorResponses('STORAGE_FULL') },
      },
    },
    (request) => queue_switch.pause(askerOf(request), request.body?.reason ?? null),
  )

  app.post(
    '/queue/resume',
    {
      config: { roles: rolesFor('manage_queue') },
      schema: {
        tags,
        summary: 'Go on, oldest first',
        response: { ...response, ...errorResponses('STORAGE_FULL') },
      },
    },
    (request) => queue_switch.resume(askerOf(request)),
  )
}
