import { createHash } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { digestOf, outcomeOfExternal, outcomeOfInvocation, sha256 } from '../../src/core/outcome.ts'

/** The same value with the keys of every object turned round. */
function turned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(turned)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, entry]) => [key, turned(entry)]),
  )
}
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
const values = fc.jsonValue({ maxDepth: 4 })

describe('a digest', () => {
  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(digestOf(turned(value))).toBe(digestOf(value))
      }),
    )
  })

  it('differs for anything else', () => {
    fc.assert(
      fc.property(values, values, (a, b) => {
        expect(digestOf(a) === digestOf(b)).toBe(isDeepStrictEqual(asJson(a), asJson(b)))
      }),
    )
  })

  it('differs as soon as one leaf does', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), values, { minKeys: 1 }), fc.string(), (value, added) => {
        const [key] = Object.keys(value)
        expect(digestOf({ ...value, [key ?? '']: { was: value[key ?? ''], added } })).not.toBe(digestOf(value))
      }),
    )
  })

  it('is SHA-256', () => {
    expect(sha256('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(digestOf({ b: [1, { d: null, c: 'x' }], a: true })).toBe(
      createHash('sha256').update('{"a":true,"b":[1,{"c":"x","d":null}]}').digest('hex'),
    )
  })
})

const outcomeBy = (response: Parameters<typeof outcomeOfInvocation>[0]) => outcomeOfInvocation(response, 'demo')
const digest = sha256('# Spec')
const artifact = { path: 'specs/001-x/spec.md', digest, size: 6, media_type: 'text/markdown' }

describe('the outcome of an invocation', () => {
  it('takes what ours says', () => {
    const outcome = outcomeBy({
      success: true,
      confidence: 70,
      metadata: { model_used: 'm' },
      result: {
        output: 'Done.',
        files_read: ['a'],
        uncertainty_reasons: ['Which provider?'],
        data: {
          artifacts: [artifact],
          checks: [{ id: 'spec', level: 'pass', message: 'It is there.', path: null, line: null }],
          usage: { input_tokens: 1, output_tokens: 2, cost_usd: null },
          threads: [{ id: 't', fate: 'addressed', reply: 'Done.' }],
          session_id: 's',
          branch: '001-x',
          commit: 'c0ffee',
          escalations: 0,
        },
      },
    })
    expect(outcome).toMatchObject({
      output: 'Done.',
      confidence: 70,
      artifacts: [artifact],
      session_id: 's',
      usage: { input_tokens: 1 },
      threads: [{ id: 't' }],
    })
    expect(outcome.result).toMatchObject({
      output: 'Done.',
      files_created: ['specs/001-x/spec.md'],
      files_read: ['a'],
      branch: '001-x',
      commit: 'c0ffee',
      data: { escalations: 0 },
      metadata: { model_used: 'm' },
      digest: outcome.digest,
    })
  })

  it('has one file of a path, the last that was named', () => {
    const other = { ...artifact, digest: sha256('# Other'), size: 7 }
    const data = { artifacts: [artifact, { ...artifact, path: 'specs/001-x/plan.md' }, other] }
    const outcome = outcomeBy({ success: true, result: { output: 'Done.', data } })
    expect(outcome.artifacts).toEqual([other, { ...artifact, path: 'specs/001-x/plan.md' }])
    expect(outcome.result['artifacts']).toEqual(outcome.artifacts)
  })

  it('takes what little another hub says', () => {
    expect(outcomeBy({ success: true })).toEqual({
      agent: 'demo',
      result: {
        output: null,
        files_created: [],
        files_read: [],
        artifacts: [],
        checks: [],
        confidence: null,
        uncertainty_reasons: [],
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
      digest: expect.any(String),
      output: null,
      confidence: null,
      uncertainty_reasons: [],
      artifacts: [],
      checks: [],
      usage: null,
      session_id: null,
      threads: [],
    })
  })

  it.each([
    ['output', { output: 'B' }],
    ['files', { files_created: ['other'] }],
    ['an artifact', { data: { artifacts: [{ ...artifact, digest: sha256('other') }] } }],
    ['a question', { uncertainty_reasons: ['Why?'] }],
    ['a check', { data: { checks: [{ id: 'c', level: 'error' as const, message: 'm', path: null, line: null }] } }],
  ])('has another digest when %s differs', (_what, result) => {
    const one = outcomeBy({ success: true, result: { output: 'A' } })
    const other = outcomeBy({ success: true, result: { output: 'A', ...result } })
    expect(other.digest).not.toBe(one.digest)
  })
})

describe('the outcome that an external system posted', () => {
  it('is kept as it came', () => {
    const posted = { output: 'Done.', files: [1, 2] }
    expect(outcomeOfExternal(posted)).toMatchObject({ result: posted, output: 'Done.', digest: digestOf(posted) })
  })

  it('needs no output', () => {
    expect(outcomeOfExternal({ output: 7 }).output).toBeNull()
  })
})
