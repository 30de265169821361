import { type ErrorCode, type ErrorDetail, ServiceError } from '@orchestrator/contract'
import type { FastifySchemaCompiler } from 'fastify'
import type * as z from 'zod'

import { issueSentence } from './issue-sentence.ts'
import { findBadText } from './json-body.ts'

const PARTS = ['body', 'querystring', 'params', 'headers'] as const
type Part = (typeof PARTS)[number]
type Issue = z.core.$ZodIssue

interface FieldCode {
  code: ErrorCode
  parts: Part[]
  matches: (issue: Issue) => boolean
}

/** A wrong text in these fields has a code of its own; missing or of another type, it is a VALIDATION_ERROR like any other. */
const FIELD_CODES: FieldCode[] = [
  {
    code: 'INVALID_WORKFLOW_TYPE',
    parts: ['body', 'querystring'],
    matches: (issue) => issue.code === 'invalid_value' && fieldOf(issue.path) === 'workflow_type',
  },
  {
    code: 'INVALID_TRIGGER',
    parts: ['body'],
    matches: (issue) => issue.code === 'invalid_value' && fieldOf(issue.path) === 'trigger',
  },
  {
    code: 'INVALID_UUID',
    parts: ['params'],
    matches: (issue) => issue.code === 'invalid_format' && issue.format === 'uuid',
  },
]

/** Names of what has no field name: the part as a whole. */
const PART_NAMES: Record<Part, string> = { body: 'body', querystring: 'query', params: 'path', headers: 'headers' }

const MAX_DETAILS = 50
const MAX_FIELD_LENGTH = 200

/** Checks a part of a request against its zod schema: nothing coerced, a refusal is a ServiceError with every wrong field. */
export const validatorCompiler: FastifySchemaCompiler<z.ZodType> = ({ schema, httpPart }) => {
  const part = PARTS.find((name) => name === httpPart) ?? 'body'
  return (data: unknown) => {
    const badText = part === 'querystring' || part === 'params' ? findBadText(data) : undefined
    if (badText !== undefined)
      return {
        error: new ServiceError('VALIDATION_ERROR', `${badText.field} ${badText.message}.`, { details: [badText] }),
      }
    // Fastify hands null over for a body that was not sent; a body that says `null` was refused before.
    const input = part === 'body' && data === null ? undefined : data
    const result = schema.safeParse(input, { error: issueSentence })
    return result.success ? { value: result.data } : { error: refusal(part, result.error.issues, input) }
  }
}

/** The first wrong field gives code and sentence; `details` has them all, each once. */
function refusal(part: Part, issues: readonly Issue[], input: unknown): ServiceError {
  const all = issues.flatMap((issue) => detailsOf(part, issue))
  const details = all
    .filter(({ field }, at) => all.findIndex((other) => other.field === field) === at)
    .slice(0, MAX_DETAILS)
  const [first] = details
  const others = details.length > 1 ? ` (and ${details.length - 1} more)` : ''
  const sentence = first === undefined ? 'The request is not valid.' : `${first.field} ${first.message}${others}.`
  return new ServiceError(codeOf(part, issues[0], input), sentence, { details })
}

function codeOf(part: Part, issue: Issue | undefined, input: unknown): ErrorCode {
  if (issue === undefined || typeof valueAt(input, issue.path) !== 'string') return 'VALIDATION_ERROR'
  const known = FIELD_CODES.find((entry) => entry.parts.includes(part) && entry.matches(issue))
  return known?.code ?? 'VALIDATION_ERROR'
}

function detailsOf(part: Part, issue: Issue): ErrorDetail[] {
  const paths = issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path]
  const message = issue.message === 'Invalid input' ? 'is not valid' : issue.message
  return paths.map((path) => ({ field: fieldOf(path).slice(0, MAX_FIELD_LENGTH) || PART_NAMES[part], message }))
}

/** `['phase_result', 'comments', 0, 'path']` → `phase_result.comments[0].path` */
function fieldOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((field, key) => {
    if (typeof key === 'number') return `${field}[${key}]`
    return field === '' ? String(key) : `${field}.${String(key)}`
  }, '')
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input
  for (const key of path) {
    if (typeof value !== 'object' || value === null) return undefined
    value = Object.getOwnPropertyDescriptor(value, key)?.value
  }
  return value
}
