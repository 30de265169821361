import { type ErrorCode, errorEnvelopeSchema } from '@orchestrator/contract'

import { errorStatus, statusText } from './errors.ts'

/** A documented error answer: every code that comes with its status. */
export interface ErrorResponse {
  codes: ErrorCode[]
  description: string
  content: { 'application/json': { schema: typeof errorEnvelopeSchema } }
}

/**
 * The errors of a route, for its `response`: `{ 200: workflowSchema, ...errorResponses('WORKFLOW_NOT_FOUND') }`.
 * What every route can answer (validation, identity, host, …) is added by the server.
 *
 * The type says nothing of them on purpose: errors are thrown, never returned, so what a handler may
 * return stays the schema of success.
 */
export function errorResponses(...codes: ErrorCode[]): object {
  return addErrorResponses({}, codes)
}

/** The same responses and these codes, joined by status. */
export function addErrorResponses(responses: object, codes: ErrorCode[]): object {
  const merged = new Map<string, unknown>(Object.entries(responses))
  for (const code of codes) {
    const status = String(errorStatus(code))
    const present = merged.get(status)
    const known = isErrorResponse(present) ? present.codes : []
    if (present === undefined || isErrorResponse(present))
      merged.set(status, toResponse([...new Set([...known, code])]))
  }
  return Object.fromEntries(merged)
}

function toResponse(codes: ErrorCode[]): ErrorResponse {
  const [first = 'INTERNAL_ERROR'] = codes
  return {
    codes,
    description: `${statusText(errorStatus(first))}: ${codes.map((code) => `\`${code}\``).join(', ')}`,
    content: { 'application/json': { schema: errorEnvelopeSchema } },
  }
}

function isErrorResponse(response: unknown): response is ErrorResponse {
  return typeof response === 'object' && response !== null && 'codes' in response && 'content' in response
}
