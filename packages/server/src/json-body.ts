import { isUtf8 } from 'node:buffer'

import { type ErrorDetail, ServiceError } from '@orchestrator/contract'

/** Bounds of a JSON body beside its size (1 MiB): what it may cost to look at. */
export const MAX_JSON_DEPTH = 32
export const MAX_JSON_VALUES = 10_000

/**
 * A body as JSON, or a ServiceError: not UTF-8 or not JSON → MALFORMED_JSON; too deep, too many values,
 * a name that would reach into object prototypes, or text that cannot be stored → VALIDATION_ERROR.
 */
export function parseJsonBody(body: Uint8Array): unknown {
  if (body.length === 0) throw new ServiceError('MALFORMED_JSON', 'The body is empty, but JSON was announced.')
  const value = parse(decode(body))
  if (value === null) throw refused({ field: 'body', message: 'must be an object' })
  const problem = findProblem(value)
  if (problem !== undefined) throw refused(problem)
  return value
}

/** The first text of a flat record (query or path) that cannot be stored; in a header Node lets none through. */
export function findBadText(values: unknown): ErrorDetail | undefined {
  return typeof values === 'object' && values !== null ? findProblem(values) : undefined
}

function decode(body: Uint8Array): string {
  if (!isUtf8(body)) throw new ServiceError('MALFORMED_JSON', 'The body is not valid UTF-8.')
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString()
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    // The parser's own words quote the body, so they stay out of the answer.
    throw new ServiceError('MALFORMED_JSON', 'The body is not valid JSON.', { cause: error })
  }
}

/** Walks breadth first without recursion, so that a hostile nesting costs no stack. */
function findProblem(root: unknown): ErrorDetail | undefined {
  let level: { field: string; value: unknown }[] = [{ field: '', value: root }]
  let seen = 0
  for (let depth = 0; level.length > 0; depth++) {
    const next: typeof level = []
    for (const { field, value } of level) {
      if (typeof value === 'string') {
        const message = textProblem(value)
        if (message !== undefined) return { field: field || 'body', message }
      }
      if (typeof value !== 'object' || value === null) continue
      if (depth >= MAX_JSON_DEPTH)
        return { field: 'body', message: `must not nest deeper than ${MAX_JSON_DEPTH} levels` }
      const isList = Array.isArray(value)
      for (const [key, child] of Object.entries(value)) {
        if (++seen > MAX_JSON_VALUES)
          return { field: 'body', message: `must not hold more than ${MAX_JSON_VALUES} values` }
        const name = isList ? `${field}[${key}]` : field === '' ? key : `${field}.${key}`
        if (!isList && isPoison(key, child)) return { field: name, message: 'is not an allowed name' }
        if (!isList && textProblem(key) !== undefined)
          return { field: field || 'body', message: 'has a name that is not clean text' }
        next.push({ field: name, value: child })
      }
    }
    level = next
  }
  return undefined
}

/** Names that a careless merge further down would follow into `Object.prototype`. */
function isPoison(key: string, value: unknown): boolean {
  if (key === '__proto__') return true
  return key === 'constructor' && typeof value === 'object' && value !== null && Object.hasOwn(value, 'prototype')
}

/** NUL ends a text in some stores and half a surrogate pair has no UTF-8 form: neither comes back as it went in. */
function textProblem(text: string): string | undefined {
  if (text.includes('\0')) return 'must not contain a NUL character'
  return text.isWellFormed() ? undefined : 'must be valid Unicode'
}

function refused(detail: ErrorDetail): ServiceError {
  return new ServiceError('VALIDATION_ERROR', `${detail.field} ${detail.message}.`, { details: [detail] })
}
