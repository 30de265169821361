import {
  advanceWorkflowSchema,
  createWorkflowSchema,
  listWorkflowsQuerySchema,
  ServiceError,
  workflowIdSchema,
} from '@orchestrator/contract'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'

import { validatorCompiler } from '../../src/validation.ts'

const DESCRIPTION = 'Add a login page'
const idParams = z.strictObject({ id: workflowIdSchema })

/** Code, sentence and fields of the refusal; the checked value when there is none. */
function check(schema: z.ZodType, httpPart: string, data: unknown): unknown {
  const result = validatorCompiler({ schema, method: 'POST', url: '/', httpPart })(data)
  const { error, value } = { error: undefined, value: undefined, ...Object(result) }
  return error instanceof ServiceError
    ? { code: error.code, message: error.message, fields: error.details?.map((detail) => detail.field) }
    : value
}

describe('a body', () => {
  test.each([
    ['missing', {}, 'VALIDATION_ERROR', 'workflow_type is required'],
    [
      'mistyped',
      { workflow_type: 3, feature_description: DESCRIPTION },
      'VALIDATION_ERROR',
      'workflow_type must be one of',
    ],
    [
      'null',
      { workflow_type: null, feature_description: DESCRIPTION },
      'VALIDATION_ERROR',
      'workflow_type must be one of',
    ],
    [
      'unknown',
      { workflow_type: 'deploy', feature_description: DESCRIPTION },
      'INVALID_WORKFLOW_TYPE',
      'workflow_type must be one of specify, plan, tasks, implement.',
    ],
    [
      'empty',
      { workflow_type: '', feature_description: DESCRIPTION },
      'INVALID_WORKFLOW_TYPE',
      'workflow_type must be one of',
    ],
  ])('with a workflow_type that is %s', (_, body, code, sentence) => {
    expect(check(createWorkflowSchema, 'body', body)).toMatchObject({
      code,
      message: expect.stringContaining(sentence),
      fields: expect.arrayContaining(['workflow_type']),
    })
  })

  test.each([
    ['missing', {}, 'VALIDATION_ERROR'],
    ['mistyped', { trigger: ['human_approved'] }, 'VALIDATION_ERROR'],
    ['unknown', { trigger: 'explode' }, 'INVALID_TRIGGER'],
    ['the service’s own', { trigger: 'start' }, 'INVALID_TRIGGER'],
  ])('with a trigger that is %s', (_, body, code) => {
    expect(check(advanceWorkflowSchema, 'body', body)).toMatchObject({ code, fields: ['trigger'] })
  })

  test('a wrong text below a field called trigger is no wrong trigger', () => {
    const nested = z.strictObject({ inner: z.strictObject({ trigger: z.enum(['a']) }) })
    expect(check(nested, 'body', { inner: { trigger: 'b' } })).toMatchObject({
      code: 'VALIDATION_ERROR',
      fields: ['inner.trigger'],
    })
  })

  test('names every wrong field once, the first one in the sentence', () => {
    const body = {
      workflow_type: 'specify',
      feature_description: 'short',
      feature_id: 'NOPE',
      status: 'completed',
      role: 'admin',
    }
    expect(check(createWorkflowSchema, 'body', body)).toEqual({
      code: 'VALIDATION_ERROR',
      message: 'feature_description must be at least 10 characters long (and 3 more).',
      fields: ['feature_description', 'feature_id', 'status', 'role'],
    })
  })

  test('names fields in lists and objects by their path', () => {
    const body = {
      trigger: 'human_rejected',
      phase_result: { comments: [{ text: 'a' }, { text: '', path: 'spec.md' }] },
    }
    expect(check(advanceWorkflowSchema, 'body', body)).toMatchObject({
      code: 'VALIDATION_ERROR',
      fields: ['phase_result.comments[1].text'],
    })
    const strict = z.strictObject({ list: z.array(z.strictObject({ path: z.string() })) })
    expect(check(strict, 'body', { list: [{ path: 'a' }, { path: 1 }] })).toMatchObject({
      message: 'list[1].path must be a string.',
      fields: ['list[1].path'],
    })
  })

  test('that was not sent is missing, unless its schema lets it be', () => {
    expect(check(createWorkflowSchema, 'body', null)).toMatchObject({ message: 'body is required.', fields: ['body'] })
    expect(check(createWorkflowSchema.optional(), 'body', null)).toBeUndefined()
  })

  test.each([[[]], ['text'], [3], [true]])('that is %o and no object is refused', (body) => {
    expect(check(createWorkflowSchema, 'body', body)).toMatchObject({ code: 'VALIDATION_ERROR', fields: ['body'] })
  })

  test('nothing is coerced', () => {
    const schema = z.strictObject({ flag: z.boolean(), count: z.int() })
    expect(check(schema, 'body', { flag: 'true', count: '3' })).toMatchObject({ fields: ['flag', 'count'] })
  })

  test('a refusal stays small, however much is wrong', () => {
    const body = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`${'x'.repeat(1000)}${n}`, 1]))
    const refusal = check(advanceWorkflowSchema, 'body', body)
    expect(JSON.stringify(refusal).length).toBeLessThan(15_000)
  })
})

describe('a path', () => {
  test.each(['nope', '', '6f0d0dbb-52c8-4b3f-9d5d-1f2b1a0c7e1', "1' OR '1'='1", '../../etc/passwd'])(
    'with the id %o',
    (id) => {
      expect(check(idParams, 'params', { id })).toMatchObject({ code: 'INVALID_UUID', fields: ['id'] })
    },
  )

  test('with a name of the wrong form is a VALIDATION_ERROR, and so is a bad UUID in a body', () => {
    expect(check(z.strictObject({ name: z.string().max(3) }), 'params', { name: 'long' })).toMatchObject({
      code: 'VALIDATION_ERROR',
    })
    expect(check(idParams, 'body', { id: 'nope' })).toMatchObject({ code: 'VALIDATION_ERROR' })
  })

  test('with NUL in it is refused before any pattern looks at it', () => {
    expect(check(z.strictObject({ name: z.string() }), 'params', { name: 'a\0b' })).toMatchObject({
      code: 'VALIDATION_ERROR',
      message: 'name must not contain a NUL character.',
    })
  })
})

describe('a query', () => {
  test.each([
    [{ workflow_type: 'deploy' }, 'INVALID_WORKFLOW_TYPE', 'workflow_type'],
    [{ status: 'deploy' }, 'VALIDATION_ERROR', 'status'],
    [{ limit: '201' }, 'VALIDATION_ERROR', 'limit'],
    [{ limit: ['1', '2'] }, 'VALIDATION_ERROR', 'limit'],
    [{ page: '1' }, 'VALIDATION_ERROR', 'page'],
  ])('of %o', (query, code, field) => {
    expect(check(listWorkflowsQuerySchema, 'querystring', query)).toMatchObject({ code, fields: [field] })
  })

  test('is text until its schema says otherwise', () => {
    expect(check(listWorkflowsQuerySchema, 'querystring', { limit: '20', q: '7' })).toEqual({ limit: 20, q: '7' })
  })
})
