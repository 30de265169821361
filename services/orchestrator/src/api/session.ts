import { ServiceError } from '@orchestrator/contract'
import { errorResponses, type Server } from '@orchestrator/server'
import * as z from 'zod'

import type { Keys } from '../core/keys.ts'

export const SESSION_COOKIE = 'orchestrator_session'

/** A browser signs in with a key once and then carries it where no script can read it. */
export function sessionRoutes(app: Server, { keys }: { keys: Keys }): void {
  const tags = ['service']
  const cookie = { path: '/', httpOnly: true, sameSite: 'strict' } as const

  app.post(
    '/session',
    {
      config: { public: true },
      schema: {
        tags,
        summary: 'Sign in: exchange a key for a cookie',
        body: z.strictObject({ key: z.string().min(1).max(200) }),
        response: { 204: z.null(), ...errorResponses('UNAUTHORIZED') },
      },
    },
    async (request, reply) => {
      const actor = await keys.find(request.body.key)
      if (actor === undefined)
        throw new ServiceError('UNAUTHORIZED', 'This key is not known, has expired or was revoked.')
      return reply
        .setCookie(SESSION_COOKIE, request.body.key, { ...cookie, secure: request.protocol === 'https' })
        .code(204)
        .send(null)
    },
  )

  app.delete(
    '/session',
    { config: { public: true }, schema: { tags, summary: 'Sign out', response: { 204: z.null() } } },
    async (_request, reply) => reply.clearCookie(SESSION_COOKIE, cookie).code(204).send(null),
  )
}
