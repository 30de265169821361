import { ServiceError } from '@orchestrator/contract'
import type { Actor } from '@orchestrator/server'
import { parseCookie } from 'cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'

import type { GuessLimit } from '../core/guess-limit.ts'
import type { KeyHolder, Keys } from '../core/keys.ts'
import type { RequestQuota } from '../core/request-quota.ts'
import * as sentences from '../core/sentences.ts'

export const SESSION_COOKIE = 'orchestrator_session'

export interface AuthenticationOptions {
  keys: Keys
  guesses: GuessLimit
  quota: RequestQuota
  /** Bound to loopback: who shows no key is `local`. */
  is_open: boolean
}

export interface Authentication {
  /** Where OpenID Connect would join: who makes this request. Throws UNAUTHORIZED, RATE_LIMITED. */
  authenticate(request: FastifyRequest, reply: FastifyReply): Promise<Actor>
  /** Whose key this is. Throws UNAUTHORIZED, RATE_LIMITED. */
  getHolder(key: string, request: FastifyRequest, reply: FastifyReply): Promise<KeyHolder>
}

export function createAuthentication({ keys, guesses, quota, is_open }: AuthenticationOptions): Authentication {
  const getHolder: Authentication['getHolder'] = async (key, request, reply) => {
    // The key first: a right one never waits for what others tried.
    const holder = await keys.find(key)
    if (holder !== undefined) {
      const rest_seconds = quota.take(holder.key_id)
      if (rest_seconds === undefined) return holder
      reply.header('retry-after', rest_seconds)
      throw new ServiceError('RATE_LIMITED', sentences.tooManyRequests(quota.per_minute, rest_seconds))
    }
    const wait_seconds = guesses.fail(request.ip)
    if (wait_seconds === undefined) throw new ServiceError('UNAUTHORIZED', sentences.wrongKey())
    reply.header('retry-after', wait_seconds)
    throw new ServiceError('RATE_LIMITED', sentences.tooManyWrongKeys(wait_seconds))
  }
  return {
    getHolder,
    async authenticate(request, reply) {
      const { authorization = '', cookie = '' } = request.headers
      const key = /^Bearer (\S+)$/.exec(authorization)?.[1] ?? parseCookie(cookie)[SESSION_COOKIE]
      if (key !== undefined) return getHolder(key, request, reply)
      if (is_open && authorization === '') return { name: 'local', role: 'local', key_id: null, workspaces: null }
      throw new ServiceError('UNAUTHORIZED', sentences.needsKey())
    },
  }
}
