import { expect, it } from 'vitest'

import type { AnswerRecord, TickRecord } from '../../src/core/note-store.ts'
import { notedStep } from '../../src/core/noted-step.ts'
import type { Step } from '../../src/core/workflow-steps.ts'
import { asker } from '../asker.ts'

const step: Step = {
  trigger: 'human_approved',
  origin: asker('Robin'),
  move: { effect: 'run', status: 'in_progress', phase: 'phase_2', attempt: 1 },
  metadata: { verdict: 'approved' },
  words: { comments: 'Well done.' },
}
const answer = (question: string, text: string | null) => ({ question, answer: text, actor: 'Kim' }) as AnswerRecord
const tick = (label: string, ticked: boolean) =>
  ({ path: 'checklists/ux.md', label, ticked, actor: 'Kim' }) as TickRecord

it('takes answers along as words and ticks as facts', () => {
  const notes = { answers: [answer('By whom?', 'By anyone.')], ticks: [tick('CHK001', true)] }
  expect(notedStep(step, notes)).toEqual({
    ...step,
    words: { comments: 'Well done.', answers: [{ question: 'By whom?', answer: 'By anyone.', by: 'Kim' }] },
    metadata: { verdict: 'approved', ticks: [{ path: 'checklists/ux.md', label: 'CHK001', ticked: true, by: 'Kim' }] },
  })
})

it('leaves out what was taken back, and adds nothing where nothing is left', () => {
  expect(notedStep(step, { answers: [answer('By whom?', null)], ticks: [] })).toEqual(step)
})
