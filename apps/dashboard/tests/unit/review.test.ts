import type { Artifact, Check, Digest } from '@orchestrator/contract'
import { describe, expect, it } from 'vitest'

import { expectVerdict } from '../../src/api/mutations.ts'
import { orderFiles, shortPath } from '../../src/review/artifact-order.ts'
import { toComments, type DraftComment } from '../../src/review/draft.ts'
import { listOpenQuestions } from '../../src/review/open-questions.ts'
import { summariseResult } from '../../src/workflow/workflow-result.ts'
import { sampleWorkflow } from './samples.ts'

const artifact = (name: string, digest = name): Artifact => ({
  path: `specs/001-login/${name}`,
  digest: digest as Digest,
  size: 1000,
  media_type: 'text/markdown',
})

const comment = (part: Partial<DraftComment>): DraftComment => ({
  id: '1',
  kind: 'comment',
  attempt_id: 'one',
  path: 'spec.md',
  lines: { start: 3, end: 4 },
  quote: 'a word',
  text: ' Change it. ',
  ...part,
})

const question: Check = {
  id: 'spec-open-question',
  level: 'warning',
  message: 'Open question: Who may sign in?',
  path: 'spec.md',
  line: 7,
}

describe('what is sent with a verdict', () => {
  it('holds the written comments and the words on the whole, without empty ones', () => {
    const comments = [comment({}), comment({ id: '2', text: '  ' })]
    expect(toComments({ comments, note: ' In short. ' }, 'one')).toEqual([
      { path: 'spec.md', lines: { start: 3, end: 4 }, quote: 'a word', text: 'Change it.' },
      { text: 'In short.' },
    ])
  })

  it('keeps the quote and drops the lines of a comment on another attempt', () => {
    expect(toComments({ comments: [comment({})], note: '' }, 'two')).toEqual([
      { path: 'spec.md', quote: 'a word', text: 'Change it.' },
    ])
  })

  it('leaves out what a comment on the whole does not have', () => {
    const whole = comment({ path: null, lines: null, quote: null })
    expect(toComments({ comments: [whole], note: '' }, 'one')).toEqual([{ text: 'Change it.' }])
  })
})

describe('the verdict that is shown before the service has answered', () => {
  const approved = { trigger: 'human_approved', phase_result: { approved: true } } as const
  it('follows the state machine', () => {
    expect(expectVerdict(sampleWorkflow(), approved)).toMatchObject({ status: 'in_progress', current_phase: 'phase_2' })
    expect(expectVerdict(sampleWorkflow({ current_phase: 'phase_2' }), approved).status).toBe('completed')
    expect(expectVerdict(sampleWorkflow(), { trigger: 'human_rejected' })).toMatchObject({
      status: 'in_progress',
      current_phase: 'phase_1',
    })
    expect(expectVerdict(sampleWorkflow(), { trigger: 'human_rejected', phase_result: { abort: true } }).status).toBe(
      'failed',
    )
  })
})

describe('the files of an attempt', () => {
  const files = [artifact('checklists/a.md'), artifact('plan.md'), artifact('spec.md')]
  it('begin with the document of the type', () => {
    const names = (type: 'specify' | 'plan') => orderFiles(files, undefined, type).map(({ path }) => shortPath(path))
    expect(names('specify')[0]).toBe('spec.md')
    expect(names('plan')).toEqual(['plan.md', 'checklists/a.md', 'spec.md'])
  })

  it('put what changed before what stayed', () => {
    const earlier = [artifact('plan.md'), artifact('spec.md', 'older')]
    expect(orderFiles(files, earlier, 'plan').map(({ path, change }) => [shortPath(path), change])).toEqual([
      ['checklists/a.md', 'new'],
      ['spec.md', 'changed'],
      ['plan.md', 'same'],
    ])
  })

  it('put code before documents when code was asked for', () => {
    const code: Artifact = { ...artifact('x'), path: 'src/login.js' }
    expect(orderFiles([artifact('notes.md'), code], [], 'implement')[0]?.path).toBe('src/login.js')
  })
})

describe('open questions', () => {
  it('are told once, with their place where it is known', () => {
    const uncertainty_reasons = ['Who may sign in?', 'How many people?']
    expect(listOpenQuestions({ checks: [question], uncertainty_reasons })).toEqual([
      { text: 'Who may sign in?', path: 'spec.md', lines: { start: 7, end: 7 } },
      { text: 'How many people?', path: null, lines: null },
    ])
  })
})

describe('the summary of a result in a row', () => {
  it('counts failures, warnings and questions apart and guesses the reading time', () => {
    const failed = { ...question, id: 'spec-has-story', level: 'error' } as const
    const warning = { ...question, id: 'odd' }
    const result = { checks: [question, failed, warning], artifacts: [{ ...artifact('spec.md'), size: 6000 }] }
    expect(summariseResult(result)).toEqual({ errors: 1, warnings: 1, questions: 1, reading_minutes: 4 })
  })

  it('survives a result of an unknown shape', () => {
    expect(summariseResult(null)).toMatchObject({ errors: 0, reading_minutes: null })
    expect(summariseResult({ checks: 'odd', artifacts: [1, null] })).toMatchObject({ errors: 0, reading_minutes: null })
  })
})
