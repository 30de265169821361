import { ERROR_CODES, ServiceError } from '@orchestrator/contract'
import { describe, expect, test } from 'vitest'

import { errorResponses, errorStatus } from '../../src/index.ts'
import { toEnvelope, toServiceError } from '../../src/errors.ts'

describe('errorStatus', () => {
  test('knows a 4xx or 5xx for every code', () => {
    expect(ERROR_CODES.filter((code) => !(errorStatus(code) >= 400 && errorStatus(code) < 600))).toEqual([])
  })

  test('keeps the published table', () => {
    const published = {
      VALIDATION_ERROR: 422,
      MALFORMED_JSON: 400,
      INVALID_WORKFLOW_TYPE: 400,
      INVALID_TRIGGER: 400,
      INVALID_UUID: 400,
      INVALID_STATE_TRANSITION: 400,
      UNAUTHORIZED: 401,
      FORBIDDEN: 403,
      WORKFLOW_NOT_FOUND: 404,
      FEATURE_NOT_FOUND: 404,
      ROUTE_NOT_FOUND: 404,
      METHOD_NOT_ALLOWED: 405,
      STALE_REVIEW: 409,
      FEATURE_BUSY: 409,
      IDEMPOTENCY_IN_FLIGHT: 409,
      BODY_TOO_LARGE: 413,
      UNSUPPORTED_MEDIA_TYPE: 415,
      MISDIRECTED_HOST: 421,
      IDEMPOTENCY_MISMATCH: 422,
      RATE_LIMITED: 429,
      UNAVAILABLE: 503,
      STORAGE_FULL: 507,
      AGENT_TIMEOUT: 504,
      AGENT_NOT_FOUND: 404,
    } as const
    const codes = ERROR_CODES.filter((code) => code in published)
    expect(Object.fromEntries(codes.map((code) => [code, errorStatus(code)]))).toEqual(published)
  })
})

describe('toServiceError', () => {
  test('leaves a refusal of ours as it is', () => {
    const refusal = new ServiceError('FEATURE_BUSY', 'Busy.', {
      details: [{ field: 'feature_id', message: 'is busy' }],
    })
    expect(toServiceError(refusal, 'r')).toBe(refusal)
    expect(toEnvelope(refusal)).toEqual({
      error: { code: 'FEATURE_BUSY', message: 'Busy.', details: [{ field: 'feature_id', message: 'is busy' }] },
    })
  })

  test.each([
    ['SQLite by its code', Object.assign(new Error('x'), { code: 'ERR_SQLITE_ERROR', errcode: 13 })],
    ['SQLite by its words', new Error('database or disk is full')],
    ['the file of shared memory', Object.assign(new Error('disk I/O error'), { errcode: 4874 })],
    ['a file', Object.assign(new Error('write'), { code: 'ENOSPC' })],
    ['one of them, wrapped', new Error('could not save', { cause: Object.assign(new Error('x'), { errcode: 13 }) })],
  ])('a full disk told by %s is STORAGE_FULL', (_, thrown) => {
    expect(toServiceError(thrown, 'r').code).toBe('STORAGE_FULL')
  })

  test.each([
    ['a failed fsync', Object.assign(new Error('disk I/O error'), { errcode: 1034 })],
    ['what is refused since', new Error('refused', { cause: Object.assign(new Error('x'), { errcode: 778 }) })],
  ])('a disk that failed, told by %s, is UNAVAILABLE', (_, thrown) => {
    expect(toServiceError(thrown, 'r').code).toBe('UNAVAILABLE')
  })

  test.each([
    new Error('secret path /etc/x'),
    'a string',
    undefined,
    null,
    { code: 13 },
    Object.assign(new Error('x'), { errcode: 5 }),
  ])('whatever else is thrown (%o) tells nothing but the request', (thrown) => {
    const error = toServiceError(thrown, 'request-7')
    expect(error.code).toBe('INTERNAL_ERROR')
    expect(error.message).toBe('Something went wrong inside the service. Its log tells more under request request-7.')
  })
})

test('errorResponses joins codes of one status', () => {
  expect(errorResponses('WORKFLOW_NOT_FOUND', 'FEATURE_BUSY', 'FEATURE_NOT_FOUND')).toMatchObject({
    404: { description: 'Not Found: `WORKFLOW_NOT_FOUND`, `FEATURE_NOT_FOUND`' },
    409: { description: 'Conflict: `FEATURE_BUSY`' },
  })
})
