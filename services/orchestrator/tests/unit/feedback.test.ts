import fc from 'fast-check'
import { expect, it } from 'vitest'

import { feedbackOf, withNotes } from '../../src/core/feedback.ts'

const id = '7f3b0c1e-5d1b-4b6e-9d5e-0a1b2c3d4e5f'

it.each([
  [{ text: 'Name the roles.' }, 'Name the roles.'],
  [{ path: 'spec.md', text: 'Too long.' }, 'spec.md: Too long.'],
  [{ path: 'spec.md', lines: { start: 3, end: 3 }, text: 'Why?' }, 'spec.md, line 3: Why?'],
  [{ path: 'spec.md', lines: { start: 3, end: 5 }, text: 'Why?' }, 'spec.md, lines 3 to 5: Why?'],
  [{ quote: 'fast', text: 'How fast?' }, 'on "fast": How fast?'],
  [
    { path: 'spec.md', lines: { start: 3, end: 3 }, text: 'Shorter.', replacement: 'It ends after 15 min.' },
    'spec.md, line 3: Shorter.\nProposed in place of these lines:\nIt ends after 15 min.',
  ],
  [
    { path: 'spec.md', lines: { start: 3, end: 3 }, text: 'Not wanted.', replacement: '' },
    'spec.md, line 3: Not wanted.\nProposed: remove these lines.',
  ],
  [{ path: 'spec.md', quote: 'fast', text: 'How fast?' }, 'spec.md, on "fast": How fast?'],
])('%j reads %s', (comment, text) => {
  expect(feedbackOf([{ id, ...comment }], false)).toEqual({
    verdict: 'changes_requested',
    text,
    threads: [{ id, ...comment }],
  })
})

it('has every comment in its text, in order', () => {
  const comments = fc.array(fc.record({ id: fc.uuid(), text: fc.string({ minLength: 1 }) }), { minLength: 1 })
  fc.assert(
    fc.property(comments, fc.boolean(), (threads, approved) => {
      expect(feedbackOf(threads, approved)).toEqual({
        verdict: approved ? 'approved' : 'changes_requested',
        text: threads.map((thread) => thread.text).join('\n\n'),
        threads,
      })
    }),
  )
})

it('asks for improvement when a rejection says nothing', () => {
  expect(feedbackOf([], false)).toEqual({
    verdict: 'changes_requested',
    text: expect.stringContaining('without a comment'),
    threads: [],
  })
})

it('has nothing to say after an approval without a comment', () => {
  expect(feedbackOf([], true)).toBeNull()
})

const noted = {
  workflow_id: id,
  attempt_id: id,
  digest: null,
  question_id: 'q',
  path: null,
  line: null,
  actor: 'Robin',
} as never

it('is as it was where nothing was noted, or everything was taken back', () => {
  const said = feedbackOf([{ id, text: 'Shorter.' }], false)
  expect(withNotes(said, { answers: [], ticks: [] })).toEqual(said)
  expect(
    withNotes(null, { answers: [Object.assign({}, noted, { question: 'Who?', answer: null })], ticks: [] }),
  ).toBeNull()
})

it('has an answer in place of “without a comment”, and names a question without words', () => {
  const answers = [Object.assign({}, noted, { question: '', answer: 'An hour.' })]
  expect(withNotes(feedbackOf([], false), { answers, ticks: [] })).toEqual({
    verdict: 'changes_requested',
    text: 'Answers to what was open:\n\nAn open question\n→ An hour.',
    threads: [],
    answers: [{ question: '', answer: 'An hour.', path: null, line: null, by: 'Robin' }],
  })
})
