import * as z from 'zod'

/**
 * Every error a service answers with, by code. The HTTP status of each code is known to
 * one file only: `packages/server/src/errors.ts`.
 */
export const ERROR_CODES = [
  'VALIDATION_ERROR',
  'MALFORMED_REQUEST',
  'MALFORMED_JSON',
  'INVALID_WORKFLOW_TYPE',
  'INVALID_TRIGGER',
  'INVALID_UUID',
  'INVALID_STATE_TRANSITION',
  'UNAUTHORIZED',
  'FORBIDDEN',
  'WORKFLOW_NOT_FOUND',
  'FEATURE_NOT_FOUND',
  'ARTIFACT_NOT_FOUND',
  'AGENT_NOT_FOUND',
  'INVOCATION_NOT_FOUND',
  'WORKSPACE_NOT_FOUND',
  'SESSION_NOT_FOUND',
  'ESCALATION_NOT_FOUND',
  'KEY_NOT_FOUND',
  'ATTEMPT_NOT_FOUND',
  'QUESTION_NOT_FOUND',
  'CHECKLIST_ITEM_NOT_FOUND',
  'ROUTE_NOT_FOUND',
  'METHOD_NOT_ALLOWED',
  'STALE_REVIEW',
  'DRAFT_CLOSED',
  'ALREADY_APPROVED',
  'FEATURE_BUSY',
  'LAST_ADMIN_KEY',
  'IDEMPOTENCY_IN_FLIGHT',
  'IDEMPOTENCY_MISMATCH',
  'REQUEST_TIMEOUT',
  'BODY_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'MISDIRECTED_HOST',
  'RATE_LIMITED',
  'QUOTA_EXCEEDED',
  'AGENT_UNAVAILABLE',
  'AGENT_TIMEOUT',
  'UNAVAILABLE',
  'PUSH_FAILED',
  'STORAGE_FULL',
  'INTERNAL_ERROR',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

/** One field that was wrong: where, what was expected. */
export const errorDetailSchema = z.object({
  field: z.string().describe('Path of the field, such as `feature_description` or `phase_result.comments[0].path`'),
  message: z.string(),
})
export type ErrorDetail = z.infer<typeof errorDetailSchema>

/** The one shape of every answer that is not a 2xx. */
export const errorEnvelopeSchema = z
  .object({
    error: z.object({
      code: z.enum(ERROR_CODES),
      message: z.string().describe('A sentence that a person can act on'),
      details: z.array(errorDetailSchema).optional(),
    }),
  })
  .meta({ id: 'Error' })
export type ErrorEnvelope = z.infer<typeof errorEnvelopeSchema>

/**
 * An expected refusal: a code of the contract and a sentence for a person. Thrown by the cores,
 * turned into an answer by the HTTP edge and back into one by the client.
 */
export class ServiceError extends Error {
  override readonly name = 'ServiceError'
  readonly code: ErrorCode
  readonly details: ErrorDetail[] | undefined

  constructor(code: ErrorCode, message: string, options: { details?: ErrorDetail[]; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = options.details
  }
}
