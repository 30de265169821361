import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'

import { errorStatus, retryAfterSeconds, toEnvelope, toServiceError } from './errors.ts'
import { plainLines } from './log.ts'
import type { Server } from './server-types.ts'

/** Turns whatever was thrown into the one shape of an error; what is our fault is logged whole. */
export function answerError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = toServiceError(thrown, request.id)
  const status = errorStatus(error.code)
  if (status >= 500) request.log.error({ err: thrown, code: error.code }, error.message)
  const seconds = retryAfterSeconds(error.code)
  if (seconds !== undefined && !reply.hasHeader('retry-after')) reply.header('retry-after', seconds)
  // The schema of a successful answer does not fit an error, so it is written as it is.
  return reply.code(status).type('application/json; charset=utf-8').serializer(JSON.stringify).send(toEnvelope(error))
}

/** One line for every answer; plain reads only at debug level, since they would drown the decisions. */
export function logAnswers(app: Server, logger: Logger): void {
  const log = plainLines(logger)
  app.addHook('onResponse', (request, reply, done) => {
    const isQuiet = reply.statusCode < 400 && (request.method === 'GET' || request.method === 'HEAD')
    const path = request.url.split('?', 1)[0] ?? ''
    const answered = {
      request_id: request.id,
      method: request.method,
      path,
      workflow_id: workflowOf(path, request, reply),
      status: reply.statusCode,
      duration_ms: Math.round(reply.elapsedTime * 10) / 10,
    }
    log[isQuiet ? 'debug' : 'info'](answered, 'answered')
    done()
  })
}

const WORKFLOWS = '/workflows/'

/**
 * The workflow that was made, or that the path names. By the path itself: `routeOptions` are made anew for who reads
 * them. A path that cannot be read has no parameters.
 */
function workflowOf(path: string, request: FastifyRequest, reply: FastifyReply): string | undefined {
  if (!path.startsWith('/workflows')) return undefined
  const made = reply.getHeader('location')
  if (typeof made === 'string' && made.startsWith(WORKFLOWS)) return made.slice(WORKFLOWS.length)
  return (request.params as { id?: string } | null)?.id
}
