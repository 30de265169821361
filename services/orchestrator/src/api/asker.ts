import type { FastifyRequest } from 'fastify'

import type { Asker } from '../core/privileges.ts'

/** Who asks, by which key, in which request, from where. */
export function askerOf({ actor, id, ip, traceparent }: FastifyRequest): Asker {
  return { ...actor, request_id: id, address: ip, traceparent }
}
