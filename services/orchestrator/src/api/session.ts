import { sessionSchema } from '@orchestrator/contract'
import { errorResponses, type Server } from '@orchestrator/server'
import { stringifySetCookie } from 'cookie'
import * as z from 'zod'

import { rolesFor } from '../core/privileges.ts'
import { SESSION_COOKIE, type Authentication } from './authenticate.ts'

/** A browser signs in with a key once and then carries it where no script can read it. */
export function sessionRoutes(app: Server, { getHolder }: Pick<Authentication, 'getHolder'>): void {
  const tags = ['service']
  const cookie = (key: string, more: { secure: boolean } | { maxAge: 0 }) =>
    stringifySetCookie({ name: SESSION_COOKIE, value: key, path: '/', httpOnly: true, sameSite: 'strict', ...more })

  app.get(
    '/session',
    {
      config: { roles: rolesFor('read'), scope: 'shared' },
      schema: { tags, summary: 'Who you are here, and in which role', response: { 200: sessionSchema } },
    },
    async (request, reply) => {
      const { name, role, key_id, workspaces } = request.actor
      return reply
        .header('cache-control', 'no-store')
        .send({ name, role, key_id, workspaces: workspaces && [...workspaces] })
    },
  )

  app.post(
    '/session',
    {
      config: { public: true },
      schema: {
        tags,
        summary: 'Sign in: exchange a key for a cookie',
        body: z.strictObject({ key: z.string().min(1).max(200) }),
        response: { 204: z.null(), ...errorResponses('UNAUTHORIZED', 'RATE_LIMITED') },
      },
    },
    async (request, reply) => {
      await getHolder(request.body.key, request, reply)
      return reply
        .header('set-cookie', cookie(request.body.key, { secure: request.protocol === 'https' }))
        .code(204)
        .send(null)
    },
  )

  app.delete(
    '/session',
    { config: { public: true }, schema: { tags, summary: 'Sign out', response: { 204: z.null() } } },
    async (_request, reply) =>
      reply
        .header('set-cookie', cookie('', { maxAge: 0 }))
        .code(204)
        .send(null),
  )
}
