import type { Artifact, AttemptId, Check, Digest, RenderedDiff, ReviewDraft, SaveDraft } from '@orchestrator/contract'
import { describe, expect, it } from 'vitest'

import { expectVerdict } from '../../src/api/mutations.ts'
import { orderFiles, shortPath } from '../../src/review/artifact-order.ts'
import { toComments, type DraftComment } from '../../src/review/draft.ts'
import { isBlank, overlay, without } from '../../src/review/draft-outbox.ts'
import { hunkOf } from '../../src/review/thread-hunk.ts'
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
  attempt_id: 'one' as AttemptId,
  path: 'spec.md',
  lines: { start: 3, end: 4 },
  quote: 'a word',
  text: ' Change it. ',
  replacement: null,
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
  it('holds the written comments under their ids, and the words on the whole last, without empty ones', () => {
    const note = comment({ id: '3', kind: 'note', path: null, lines: null, quote: null, text: ' In short. ' })
    expect(toComments([note, comment({}), comment({ id: '2', text: '  ' })], 'one')).toEqual([
      { id: '1', path: 'spec.md', lines: { start: 3, end: 4 }, quote: 'a word', text: 'Change it.' },
      { id: '3', text: 'In short.' },
    ])
  })

  it('comes in the order of the documents', () => {
    const at = (id: string, path: string | null, start?: number) =>
      comment({ id, path, lines: start === undefined ? null : { start, end: start } })
    const drafts = [at('5', null), at('3', 'b.md', 9), at('4', 'b.md'), at('1', 'a.md', 7), at('2', 'b.md', 2)]
    expect(toComments(drafts, 'one').map(({ id }) => id)).toEqual(['1', '2', '3', '4', '5'])
  })

  it('keeps the quote and drops the lines of a comment on another attempt', () => {
    expect(toComments([comment({})], 'two')).toEqual([
      { id: '1', path: 'spec.md', quote: 'a word', text: 'Change it.' },
    ])
  })

  it('carries a suggestion for its lines, and says it in words where they mean nothing any more', () => {
    const suggestion = comment({ text: '', replacement: 'another word' })
    expect(toComments([suggestion], 'one')).toMatchObject([
      { text: 'Please use this wording.', replacement: 'another word', lines: { start: 3, end: 4 } },
    ])
    expect(toComments([suggestion], 'two')).toEqual([
      { id: '1', path: 'spec.md', quote: 'a word', text: 'It should say: another word' },
    ])
    expect(toComments([comment({ text: '', replacement: '' })], 'two')).toMatchObject([{ text: 'Remove this.' }])
    expect(toComments([comment({ text: '', replacement: 'a word' })], 'one')).toEqual([])
  })
})

describe('drafts on their way to the service', () => {
  const saved: ReviewDraft = { ...comment({}), created_at: '', updated_at: '' }
  const body = ({ text }: { text: string }): SaveDraft => {
    const { id: _, ...rest } = comment({ text })
    return rest
  }

  it('are shown over what it has, and new ones after it', () => {
    const outbox = { '1': body({ text: 'Changed' }), '2': body({ text: 'New' }) }
    expect(overlay([saved], outbox).map(({ id, text }) => [id, text])).toEqual([
      ['1', 'Changed'],
      ['2', 'New'],
    ])
    expect(overlay([saved], { '1': null })).toEqual([])
  })

  it('stay until exactly what was written has arrived', () => {
    const outbox = { '1': body({ text: 'Later words' }) }
    expect(without(outbox, '1', body({ text: 'Earlier words' }))).toBe(outbox)
    expect(without(outbox, '1', body({ text: 'Later words' }))).toEqual({})
    expect(without({ '1': null }, '1', null)).toEqual({})
  })

  it('are nothing while they hold no word of one’s own', () => {
    expect(isBlank(comment({ text: ' ' }))).toBe(true)
    expect(isBlank(comment({ text: '', quote: 'same', replacement: 'same' }))).toBe(true)
    expect(isBlank(comment({ text: '', quote: 'same', replacement: '' }))).toBe(false)
  })
})

describe('the change that answers a comment', () => {
  const hunk = (old_start: number, ...lines: string[]): RenderedDiff['hunks'][number] => ({
    old_start,
    old_lines: 0,
    new_start: old_start,
    new_lines: 0,
    lines,
  })
  const near = hunk(2, ' text', '-The session ends after 1 hour.', '+The session ends after 15 minutes.')
  const far = hunk(40, ' text', '+FR-009: account lockout after five failed attempts.')
  const thread = { lines: { start: 3, end: 3 }, text: 'Shorter session', reply: null, replacement: null }

  it('is the one at its lines', () => {
    expect(hunkOf(thread, [far, near])).toBe(near)
  })

  it('is the one that speaks of it where the words stand elsewhere', () => {
    const asked = { ...thread, text: 'Mention account lockout', reply: 'Added FR-009 on account lockout' }
    expect(hunkOf({ ...asked, lines: { start: 1, end: 1 } }, [near, far])).toBe(far)
    expect(hunkOf({ ...asked, lines: null }, [near, far])).toBe(far)
  })

  it('is none where nothing can be told', () => {
    expect(hunkOf({ ...thread, lines: null, text: 'Nicer' }, [near, far])).toBeUndefined()
    expect(hunkOf(thread, [])).toBeUndefined()
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

  it('name what an attempt deleted, last', () => {
    const earlier = [artifact('research.md'), artifact('spec.md')]
    expect(orderFiles([artifact('spec.md')], earlier, 'specify').map(({ change }) => change)).toEqual([
      'same',
      'deleted',
    ])
  })

  it('put code before documents when code was asked for', () => {
    const code: Artifact = { ...artifact('x'), path: 'src/login.js' }
    expect(orderFiles([artifact('notes.md'), code], [], 'implement')[0]?.path).toBe('src/login.js')
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
