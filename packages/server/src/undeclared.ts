import { ServiceError } from '@orchestrator/contract'
import type { FastifyRequest } from 'fastify'

/**
 * Strict schemas refuse unknown fields; this refuses what a documented route has no schema for at all,
 * so that nothing a client sends is dropped in silence.
 */
export function findUndeclared(request: FastifyRequest): ServiceError | undefined {
  const { schema } = request.routeOptions
  if (schema === undefined || schema.hide === true) return undefined
  if (schema.body === undefined && request.body !== undefined && request.body !== null) {
    return refusal('body', 'is not taken here')
  }
  if (schema.querystring !== undefined || typeof request.query !== 'object' || request.query === null) return undefined
  const [name] = Object.keys(request.query)
  return name === undefined ? undefined : refusal(name.slice(0, 200), 'is not a known query parameter')
}

function refusal(field: string, message: string): ServiceError {
  return new ServiceError('VALIDATION_ERROR', `${field} ${message}.`, { details: [{ field, message }] })
}
