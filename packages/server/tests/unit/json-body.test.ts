import { ServiceError } from '@orchestrator/contract'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { MAX_JSON_DEPTH, MAX_JSON_VALUES, parseJsonBody } from '../../src/json-body.ts'

const encode = (text: string) => new TextEncoder().encode(text)

function refusal(body: Uint8Array | string): unknown {
  try {
    return parseJsonBody(typeof body === 'string' ? encode(body) : body)
  } catch (error) {
    return error
  }
}

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`

describe('parseJsonBody', () => {
  test('gives back any ordinary JSON as it was sent', () => {
    const value = fc
      .jsonValue({ maxDepth: 5, noUnicodeString: false })
      .filter(
        (json) =>
          json !== null && !JSON.stringify(json).includes('\\u0000') && !JSON.stringify(json).includes('__proto__'),
      )
    fc.assert(
      fc.property(value, (json) => {
        const text = JSON.stringify(json)
        expect(parseJsonBody(encode(text))).toEqual(JSON.parse(text))
      }),
    )
  })

  test('takes any bytes at all and throws nothing but a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const result = refusal(bytes)
        expect(!(result instanceof Error) || result instanceof ServiceError).toBe(true)
      }),
    )
  })

  test.each([
    ['nothing', ''],
    ['half an object', '{"a":'],
    ['a trailing comma', '{"a":1,}'],
    ['two values', '{} {}'],
    ['NaN', '{"a":NaN}'],
    ['a comment', '{"a":1/* x */}'],
    ['broken UTF-8', new Uint8Array([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d])],
    ['UTF-16', new Uint8Array([0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00])],
  ])('%s is MALFORMED_JSON', (_, body) => {
    expect(refusal(body)).toMatchObject({ code: 'MALFORMED_JSON' })
  })

  test('the parser’s own words, which quote the body, stay inside', () => {
    expect(refusal('{"token": "hunter2" oops}')).toMatchObject({ message: 'The body is not valid JSON.' })
  })

  test.each([
    ['{"__proto__":{"admin":true}}', '__proto__'],
    ['{"a":[{"__proto__":1}]}', 'a[0].__proto__'],
    ['{"\\u005f_proto__":1}', '__proto__'],
    ['{"a":{"constructor":{"prototype":{"admin":true}}}}', 'a.constructor'],
  ])('%s would reach into prototypes', (body, field) => {
    expect(refusal(body)).toMatchObject({ code: 'VALIDATION_ERROR', details: [{ field }] })
  })

  test('a field may be called constructor', () => {
    expect(refusal('{"constructor":"a builder"}')).toEqual({ constructor: 'a builder' })
  })

  test('depth is bounded, exactly', () => {
    expect(refusal(nested(MAX_JSON_DEPTH))).toBeInstanceOf(Array)
    expect(refusal(nested(MAX_JSON_DEPTH + 1))).toMatchObject({
      code: 'VALIDATION_ERROR',
      details: [{ field: 'body' }],
    })
    expect(refusal(nested(400_000))).toMatchObject({ code: 'VALIDATION_ERROR' })
  })

  test('the number of values is bounded, exactly', () => {
    const keys = (count: number) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n])))
    expect(refusal(keys(MAX_JSON_VALUES))).not.toBeInstanceOf(Error)
    expect(refusal(keys(MAX_JSON_VALUES + 1))).toMatchObject({ code: 'VALIDATION_ERROR' })
  })

  test.each([
    ['{"a":"x\\u0000y"}', 'a'],
    ['{"a":["\\ud800"]}', 'a[0]'],
    ['{"a":{"\\u0000":1}}', 'a'],
  ])('%s cannot be stored as it was sent', (body, field) => {
    expect(refusal(body)).toMatchObject({ code: 'VALIDATION_ERROR', details: [{ field }] })
  })

  test('null is no body', () => {
    expect(refusal('null')).toMatchObject({ code: 'VALIDATION_ERROR', details: [{ field: 'body' }] })
  })
})
