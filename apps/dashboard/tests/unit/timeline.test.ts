import type { AttemptId } from '@orchestrator/contract'
import { describe, expect, it } from 'vitest'

import { readReasons } from '../../src/workflow/reasons.ts'
import { buildTimeline } from '../../src/workflow/timeline.ts'
import { sampleAttempt, sampleTransition } from './samples.ts'

const first = sampleAttempt()
const second = sampleAttempt({
  id: '0b0e5f8e-6d0c-4c37-9a0e-444444444444' as AttemptId,
  number: 2,
  created_at: '2026-01-01T13:00:00.000Z',
  started_at: '2026-01-01T13:00:00.000Z',
})
const rejection = sampleTransition({
  id: 'rejection',
  trigger: 'human_rejected',
  from_status: 'waiting_approval',
  actor: 'ana',
  metadata: { comments: [{ text: 'Name the time of day.' }], approved: false },
  created_at: '2026-01-01T13:00:00.000Z',
})

describe('the causal chain of a workflow', () => {
  it('puts a cause before what follows from it, even within one millisecond', () => {
    const texts = buildTimeline('specify', [sampleTransition(), rejection], [first, second]).map(({ text }) => text)
    expect(texts).toEqual([
      'Accepted: Write, attempt 1 queued',
      'Work on Write, attempt 1 began',
      'Requested changes to Write, attempt 1',
      'Write, attempt 2 queued',
      'Work on Write, attempt 2 began',
    ])
  })

  it('tells who decided and in which words', () => {
    const entry = buildTimeline('specify', [rejection], []).at(0)
    expect(entry).toMatchObject({ actor: 'ana', reasons: ['Name the time of day.'], kind: 'rejected' })
  })

  it('names nobody for what the service did by itself', () => {
    const done = sampleTransition({ trigger: 'agent_complete', to_status: 'waiting_approval', actor: 'agent:demo' })
    expect(buildTimeline('specify', [done], []).at(0)?.actor).toBeNull()
  })

  it('folds idle time into one line', () => {
    const idle = buildTimeline('specify', [sampleTransition(), rejection], []).map(({ idle_ms }) => idle_ms)
    expect(idle).toEqual([null, 3_599_000])
  })

  it('calls the last approval a completion, and a cancellation a cancellation', () => {
    const approval = sampleTransition({ trigger: 'human_approved', to_status: 'completed', phase: 'phase_2' })
    const cancel = sampleTransition({
      trigger: 'error',
      to_status: 'failed',
      metadata: { cancelled: true, reason: 'Too dear' },
    })
    expect(buildTimeline('plan', [approval], []).at(0)?.text).toBe('Approved Checklists, attempt 1: completed')
    expect(buildTimeline('plan', [cancel], []).at(0)).toMatchObject({ text: 'Cancelled', reasons: ['Too dear'] })
  })

  it('announces the next try of an attempt that waits', () => {
    const waiting = sampleAttempt({
      state: 'backing_off',
      reason: 'The hub is unreachable.',
      next_retry_at: '2026-01-01T12:00:30.000Z',
    })
    expect(buildTimeline('specify', [], [waiting]).at(-1)).toMatchObject({
      kind: 'retry',
      at: '2026-01-01T12:00:30.000Z',
      reasons: ['The hub is unreachable.'],
    })
  })
})

describe('reasons', () => {
  it('are comments, answers and ticks, with a name where it is another than of who decided', () => {
    const metadata = {
      comments: [{ path: 'spec.md', text: 'Name it.' }],
      answers: [
        { question: 'Which one?', answer: 'Ours.', by: 'ana' },
        { question: '', answer: 'Later.', by: 'ben' },
      ],
      ticks: [
        { path: 'a.md', label: 'CHK001', ticked: true, by: 'ana' },
        { path: 'a.md', label: 'CHK002', ticked: false, by: 'ana' },
      ],
    }
    expect(readReasons({ metadata, actor: 'ana' })).toEqual([
      'Name it.',
      'Which one? → Ours.',
      'Open question → Later. (ben)',
      'Ticked CHK001',
      'Unticked CHK002',
    ])
    expect(readReasons({ metadata: { comments: 'Again', answers: 'none', ticks: [1] }, actor: 'ana' })).toEqual([
      'Again',
    ])
  })
})
