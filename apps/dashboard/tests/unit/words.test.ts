import { describe, expect, it } from 'vitest'

import { formatAge, formatDuration } from '../../src/components/time.tsx'
import { featureSteps } from '../../src/workflow/feature-steps.ts'
import { missingDescription, emptyForm, readForm, toRequest } from '../../src/workflow/workflow-form.ts'
import { headline, nextType } from '../../src/workflow/words.ts'
import { sampleWorkflow } from './samples.ts'

describe('words and times', () => {
  it('cuts a description to its first sentence, at most one row long', () => {
    expect(headline('Let people sign in. And out.')).toBe('Let people sign in')
    expect(headline('One line\nand more')).toBe('One line')
    expect(headline('x'.repeat(500))).toHaveLength(96)
  })

  it('knows what comes after a type', () => {
    expect(nextType('specify')).toBe('plan')
    expect(nextType('implement')).toBeUndefined()
  })

  it('never shows a negative age, whatever the clocks say', () => {
    expect([-5000, 59_000, 61_000, 7_200_000, 200_000_000].map(formatAge)).toEqual([
      'now',
      'now',
      '1 min',
      '2 h',
      '2 d',
    ])
    expect([-1, 800, 42_000, 200_000, 7_500_000].map(formatDuration)).toEqual([
      '0.0 s',
      '0.8 s',
      '42 s',
      '3 min 20 s',
      '2 h 5 min',
    ])
  })
})

describe('the steps of a feature', () => {
  const done = sampleWorkflow({ status: 'completed' })
  it('offer the first that is not completed', () => {
    expect(featureSteps([done]).find(({ next }) => next)?.workflow_type).toBe('plan')
    expect(featureSteps([sampleWorkflow({ status: 'failed' })]).find(({ next }) => next)?.workflow_type).toBe('specify')
  })

  it('offer nothing while something runs or when all is done', () => {
    expect(featureSteps([done, sampleWorkflow({ workflow_type: 'plan' })]).some(({ next }) => next)).toBe(false)
    const all = (['specify', 'plan', 'tasks', 'implement'] as const).map((workflow_type) => ({
      ...done,
      workflow_type,
    }))
    expect(featureSteps(all).some(({ next }) => next)).toBe(false)
  })
})

describe('the form of a new workflow', () => {
  it('sends only what was chosen', () => {
    const description = ' Let people sign in. '
    expect(toRequest({ ...emptyForm, description })).toEqual({
      workflow_type: 'specify',
      feature_description: 'Let people sign in.',
    })
    const context = [
      { name: 'priority', value: 'P1' },
      { name: ' ', value: 'lost' },
    ]
    expect(toRequest({ ...emptyForm, feature_id: '001-a', agent: 'claude', model: ' opus ', context })).toEqual({
      workflow_type: 'specify',
      feature_id: '001-a',
      agent: 'claude',
      model: 'opus',
      context: { priority: 'P1' },
    })
  })

  it('wants a description unless a feature is continued', () => {
    expect(missingDescription({ ...emptyForm, description: 'short' })).toBe('5 more characters')
    expect(missingDescription({ ...emptyForm, feature_id: '001-a' })).toBeNull()
    expect(missingDescription({ ...emptyForm, description: 'long enough' })).toBeNull()
  })

  it('reads what an older page kept', () => {
    expect(readForm('{"description":"kept","workflow_type":"gone"}')).toEqual({ ...emptyForm, description: 'kept' })
  })
})
