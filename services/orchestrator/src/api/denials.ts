import { ServiceError, type ErrorCode } from '@orchestrator/contract'
import { hideKeys, type Server } from '@orchestrator/server'
import type { FastifyRequest } from 'fastify'

import type { Denials } from '../core/denials.ts'

const DENIED: readonly ErrorCode[] = ['UNAUTHORIZED', 'FORBIDDEN', 'RATE_LIMITED', 'QUOTA_EXCEEDED']
const PATH_MAX = 500

/** Writes down every attempt that is refused. Before the routes that it is to watch. */
export function watchDenials(app: Server, denials: Denials, now: () => Date): void {
  app.addHook('onError', async (request, _reply, error) => {
    // Fastify's type knows only its own errors.
    const thrown: unknown = error
    if (!(thrown instanceof ServiceError) || !DENIED.includes(thrown.code)) return
    denials.note({
      ...whoAsked(request),
      request_id: request.id,
      address: request.ip,
      method: request.method,
      path: hideKeys(request.url.split('?', 1)[0] ?? '').slice(0, PATH_MAX),
      code: thrown.code,
      created_at: now().toISOString(),
    })
  })
}

/** Who was let in, or of which key the id was shown, which tells of a key that has ended. */
function whoAsked(request: FastifyRequest): { actor: string | null; key_id: string | null } {
  try {
    return { actor: request.actor.name, key_id: request.actor.key_id }
  } catch {
    const [, key_id = null] = /^Bearer ok_([0-9a-f]{12})_/.exec(request.headers.authorization ?? '') ?? []
    return { actor: null, key_id }
  }
}
