import { invocationSchema, invokeRequestSchema, invokeResponseSchema, type Check } from '@orchestrator/contract'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import {
  addUsage,
  cancelled,
  didNothing,
  failed,
  isTimeout,
  succeeded,
  withCommit,
  type Finished,
} from '../../src/core/outcome.ts'

const requestOf = (workflow_type: string, phase: string) =>
  invokeRequestSchema.parse({
    workflow_type,
    context: { feature_id: '001-login', feature_description: 'People can log in', phase },
  })
const SPEC = { path: 'specs/001-login/spec.md', change: 'added' } as const
const check = (level: Check['level']): Check => ({ id: 'x', level, message: 'm', path: null, line: null })
const RESULT = '```json result\n{"summary": "Written", "confidence": 90, "open_questions": ["Why?"]}\n```'

const ENDED = {
  kind: 'ended',
  result: null,
  acp_session_id: 's',
  usage: null,
  model: 'm-1',
  model_refusal: null,
} as const

function finish({
  text = RESULT,
  stop_reason = 'end_turn',
  ...rest
}: Partial<Finished> & { text?: string; stop_reason?: string } = {}) {
  return succeeded({
    request: requestOf('specify', 'phase_1'),
    outcome: { ...ENDED, stop_reason, text },
    changes: [SPEC],
    checks: [],
    artifacts: [],
    usage: null,
    agent: 'stub',
    invocation_id: 'i',
    session_id: 's',
    branch: '001-login',
    duration_ms: 12,
    ...rest,
  })
}

describe('an agent that says it is done', () => {
  it.each([
    ['changed nothing and says nothing', [], '', true],
    ['changed nothing and says why', [], 'API Error: 500', true],
    ['changed nothing and gives a result', [], RESULT, false],
    ['changed a file and says nothing', [SPEC], '', false],
  ])('%s', (_, changes, text, nothing) => {
    expect(didNothing(requestOf('specify', 'phase_1'), changes, { text, result: null })).toBe(nothing)
  })

  it('may bring only a report where the report is the product', () => {
    expect(didNothing(requestOf('tasks', 'phase_2'), [], { text: 'CRITICAL: nothing', result: null })).toBe(false)
    expect(didNothing(requestOf('tasks', 'phase_2'), [], { text: '', result: null })).toBe(true)
  })
})

describe('the answer', () => {
  it('tells files from git, the rest from the closing block', () => {
    const deleted = { path: 'old.md', change: 'deleted' } as const
    expect(finish({ changes: [SPEC, deleted] })).toMatchObject({
      success: true,
      confidence: 90,
      result: { output: 'Written', files_created: [SPEC.path], uncertainty_reasons: ['Why?'] },
      metadata: { model_used: 'm-1', duration_ms: 12 },
    })
  })

  it('caps the confidence while a check says otherwise, for any claim', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 100 }), (claimed) => {
        const text = `\`\`\`json result\n{"summary": "x", "confidence": ${claimed}}\n\`\`\``
        expect(finish({ text, checks: [check('error')] }).confidence).toBe(Math.min(claimed, 50))
        expect(finish({ text, checks: [check('warning')] }).confidence).toBe(claimed)
      }),
    )
  })

  it('has no confidence without a closing block, and says so', () => {
    const response = finish({ text: 'Done.' })
    expect(response.confidence).toBe(0)
    expect(response.result?.output).toBe('Done.')
    expect(response.result?.data?.checks?.map(({ id }) => id)).toEqual(['result-block-missing'])
  })

  it('shows that the agent stopped early', () => {
    expect(finish({ stop_reason: 'max_tokens' }).result?.data?.checks?.map(({ id }) => id)).toEqual([
      'turn-ended-early',
    ])
  })

  it('gets the commit, and why the branch was not moved', () => {
    const response = withCommit(finish(), 'abc', 'It is checked out.')
    expect(response.result?.data).toMatchObject({ commit: 'abc', branch: '001-login' })
    expect(response.result?.data?.checks?.at(-1)).toMatchObject({ id: 'branch-not-moved', level: 'warning' })
    expect(withCommit(finish(), null, null).result?.data).toMatchObject({ commit: null, checks: [] })
  })

  it.each([finish(), withCommit(finish(), null, 'x'), cancelled(null).response, failed('No.', 'agent', 's').response])(
    'is as the contract has it',
    (response) => {
      expect(invokeResponseSchema.parse(response)).toEqual(response)
      expect(invocationSchema.shape.response.parse(response)).toEqual(response)
    },
  )

  it('knows a time limit from other failures', () => {
    expect(isTimeout(failed('Too slow.', 'timeout', null).response)).toBe(true)
    expect(isTimeout(failed('Broken.', 'agent', null).response)).toBe(false)
    expect(isTimeout(finish())).toBe(false)
  })
})

it('adds up what two turns used', () => {
  const some = { input_tokens: 1, output_tokens: null, cost_usd: 0.5 }
  expect(addUsage(some, { input_tokens: 2, output_tokens: 3, cost_usd: null })).toEqual({
    input_tokens: 3,
    output_tokens: 3,
    cost_usd: 0.5,
  })
  expect(addUsage(null, some)).toBe(some)
  expect(addUsage(some, null)).toBe(some)
})
