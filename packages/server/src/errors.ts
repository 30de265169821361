import { STATUS_CODES } from 'node:http'

import { type ErrorCode, type ErrorEnvelope, ServiceError } from '@orchestrator/contract'

/** The HTTP status of every error code. No other file knows one. */
const STATUSES: Record<ErrorCode, number> = {
  MALFORMED_REQUEST: 400,
  MALFORMED_JSON: 400,
  INVALID_WORKFLOW_TYPE: 400,
  INVALID_TRIGGER: 400,
  INVALID_UUID: 400,
  INVALID_STATE_TRANSITION: 400,
  UNAUTHORIZED: 401,
  FORBIDDEN: 403,
  WORKFLOW_NOT_FOUND: 404,
  FEATURE_NOT_FOUND: 404,
  ARTIFACT_NOT_FOUND: 404,
  AGENT_NOT_FOUND: 404,
  INVOCATION_NOT_FOUND: 404,
  WORKSPACE_NOT_FOUND: 404,
  SESSION_NOT_FOUND: 404,
  ESCALATION_NOT_FOUND: 404,
  KEY_NOT_FOUND: 404,
  ATTEMPT_NOT_FOUND: 404,
  QUESTION_NOT_FOUND: 404,
  CHECKLIST_ITEM_NOT_FOUND: 404,
  ROUTE_NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  REQUEST_TIMEOUT: 408,
  STALE_REVIEW: 409,
  DRAFT_CLOSED: 409,
  ALREADY_APPROVED: 409,
  FEATURE_BUSY: 409,
  LAST_ADMIN_KEY: 409,
  IDEMPOTENCY_IN_FLIGHT: 409,
  BODY_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  MISDIRECTED_HOST: 421,
  VALIDATION_ERROR: 422,
  IDEMPOTENCY_MISMATCH: 422,
  RATE_LIMITED: 429,
  QUOTA_EXCEEDED: 429,
  INTERNAL_ERROR: 500,
  PUSH_FAILED: 502,
  AGENT_UNAVAILABLE: 503,
  UNAVAILABLE: 503,
  AGENT_TIMEOUT: 504,
  STORAGE_FULL: 507,
}

/** Seconds a client should wait, for the codes where waiting helps. A handler that knows better sets the header itself. */
const RETRY_AFTER_SECONDS: Partial<Record<ErrorCode, number>> = {
  IDEMPOTENCY_IN_FLIGHT: 1,
  RATE_LIMITED: 5,
  QUOTA_EXCEEDED: 60,
  UNAVAILABLE: 5,
  AGENT_UNAVAILABLE: 5,
}

/** What the framework refuses by itself, by its error code. */
const FRAMEWORK_ERRORS: Record<string, [ErrorCode, string]> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['BODY_TOO_LARGE', 'The body is larger than this service accepts.'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['UNSUPPORTED_MEDIA_TYPE', 'Send the body as application/json.'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['MALFORMED_REQUEST', 'The body does not have the length that was announced.'],
  FST_ERR_BAD_URL: ['MALFORMED_REQUEST', 'The path of the request is not a valid URL path.'],
  // A path that leads out of a folder whose files are served.
  FST_STATIC_FORBIDDEN_PATH: ['ROUTE_NOT_FOUND', 'There is nothing at this path; /docs lists what there is.'],
  FST_ERR_MAX_PARAM_LENGTH: ['ROUTE_NOT_FOUND', 'The path of the request is too long to name anything here.'],
  FST_ERR_REOPENED_CLOSE_SERVER: ['UNAVAILABLE', 'The service is shutting down; try again in a moment.'],
  ECONNRESET: ['MALFORMED_REQUEST', 'The connection ended before the whole request arrived.'],
}

const SQLITE_IOERR = 10
const SQLITE_FULL = 13
/** Extended codes of a shared-memory file that could not be made or grown: there is no room. */
const SQLITE_IOERR_SHM = new Set([4618, 4874, 5386])

export function errorStatus(code: ErrorCode): number {
  return STATUSES[code]
}

/** Seconds for `Retry-After`, or undefined when trying again would not help. */
export function retryAfterSeconds(code: ErrorCode): number | undefined {
  return RETRY_AFTER_SECONDS[code]
}

/** `404 Not Found`, for a status line or a documented response. */
export function statusText(status: number): string {
  return STATUS_CODES[status] ?? 'Error'
}

export function toEnvelope(error: ServiceError): ErrorEnvelope {
  const { code, message, details } = error
  return { error: details === undefined ? { code, message } : { code, message, details } }
}

/**
 * Whatever was thrown, as an answer. An unexpected error tells the client nothing but the request id,
 * under which the log has the rest.
 */
export function toServiceError(error: unknown, request_id: string): ServiceError {
  if (error instanceof ServiceError) return error
  if (isStorageFull(error)) {
    const sentence = 'The storage of this service is full: nothing was saved. Free some space and try again.'
    return new ServiceError('STORAGE_FULL', sentence, { cause: error })
  }
  if (isDiskFault(error)) {
    const sentence =
      'The disk of this service reported an error: nothing was acknowledged that may not be stored. The service starts again; look what is there, then send it again. With the same Idempotency-Key that is safe.'
    return new ServiceError('UNAVAILABLE', sentence, { cause: error })
  }
  const known = FRAMEWORK_ERRORS[codeOf(error)]
  if (known !== undefined) return new ServiceError(known[0], known[1], { cause: error })
  const sentence = `Something went wrong inside the service. Its log tells more under request ${request_id}.`
  return new ServiceError('INTERNAL_ERROR', sentence, { cause: error })
}

/** SQLite says so by its result code, an artifact written to the same disk by ENOSPC; either may be wrapped. */
function isStorageFull(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const code = errcodeOf(cause)
    if (code === SQLITE_FULL || SQLITE_IOERR_SHM.has(code)) return true
    if (codeOf(cause) === 'ENOSPC' || cause.message.includes('database or disk is full')) return true
  }
  return false
}

function isDiskFault(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ((errcodeOf(cause) & 0xff) === SQLITE_IOERR) return true
  }
  return false
}

/** SQLite's extended result code; 0 when the error is not SQLite's. */
function errcodeOf(error: Error): number {
  return 'errcode' in error && typeof error.errcode === 'number' ? error.errcode : 0
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
