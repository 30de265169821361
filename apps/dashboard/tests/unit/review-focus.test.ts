import type { ChecklistItem } from '@orchestrator/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { diffLines } from '../../../../services/orchestrator/src/documents/line-diff.ts'
import type { OutlineItem } from '../../src/review/document-blocks.ts'
import { moveLines } from '../../src/review/move-lines.ts'
import { markSections } from '../../src/review/outline-marks.ts'
import { weakenedIn } from '../../src/review/weakened.ts'

const compare = (before: string[], after: string[]) => {
  const hunks = diffLines(`${before.join('\n')}\n`, `${after.join('\n')}\n`) ?? []
  const added_lines = hunks.flatMap(({ lines }) => lines).filter((line) => line.startsWith('+')).length
  return { kind: 'source' as const, hunks, added_lines }
}
const numbered = (count: number) => Array.from({ length: count }, (_, index) => `line ${index + 1}`)

describe('lines that a comment is on, in the next attempt', () => {
  const before = numbered(20)

  it.each([
    { words: 'nothing changed', after: before, lines: { start: 5, end: 6 } },
    { words: 'something came above', after: before.toSpliced(2, 0, 'new', 'newer'), lines: { start: 7, end: 8 } },
    { words: 'something went above', after: before.toSpliced(0, 3), lines: { start: 2, end: 3 } },
    { words: 'something came right above', after: before.toSpliced(4, 0, 'new'), lines: { start: 6, end: 7 } },
    { words: 'something came right below', after: before.toSpliced(6, 0, 'new'), lines: { start: 5, end: 6 } },
    { words: 'something changed below', after: before.with(12, 'other'), lines: { start: 5, end: 6 } },
    { words: 'one of them changed', after: before.with(5, 'other'), lines: undefined },
    { words: 'one of them went', after: before.toSpliced(4, 1), lines: undefined },
    { words: 'something came between them', after: before.toSpliced(5, 0, 'new'), lines: undefined },
  ])('where $words', ({ after, lines }) => {
    expect(moveLines({ start: 5, end: 6 }, compare(before, after))).toEqual(lines)
  })

  it('are where they stood, or nowhere, when a comparison tells only its beginning', () => {
    const whole = compare(before, before.toSpliced(0, 0, 'new'))
    expect(moveLines({ start: 5, end: 5 }, { ...whole, added_lines: 7 })).toBeUndefined()
    expect(moveLines({ start: 5, end: 5 }, { kind: 'unreadable', hunks: [], added_lines: 0 })).toBeUndefined()
  })

  it('say the same, whatever became of the rest', () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { minLength: 1, maxLength: 12 })
    fc.assert(
      fc.property(text, text, fc.nat(), fc.nat(3), (old, now, from, length) => {
        const start = (from % old.length) + 1
        const lines = { start, end: Math.min(old.length, start + length) }
        const moved = moveLines(lines, compare(old, now))
        const said = (all: string[], { start: first, end }: typeof lines) => all.slice(first - 1, end)
        fc.pre(moved !== undefined)
        expect(said(now, moved)).toEqual(said(old, lines))
      }),
      { numRuns: 500 },
    )
    expect(moveLines({ start: 2, end: 2 }, compare(['a', 'b'], ['c', 'a', 'b']))).toEqual({ start: 3, end: 3 })
  })
})

describe('the outline', () => {
  const heading = (line: number, level: number): OutlineItem => ({ text: `${line}`, level, line, element: null! })
  const item = (line: number, part: Partial<ChecklistItem> = {}): ChecklistItem => ({
    id: `${line}`,
    label: 'CHK001',
    text: '',
    line,
    ticked: false,
    ticked_by: null,
    ticked_at: null,
    ...part,
  })
  const by = (ticked_by: string, ticked_at: string) => ({ ticked: true, ticked_by, ticked_at })

  it('says of each section what is read, commented on and ticked, and who ticked last', () => {
    const ana = item(4, by('ana', '2026-01-01T12:00:00.000Z'))
    const ben = item(5, by('ben', '2026-01-01T12:05:00.000Z'))
    const marks = markSections([heading(1, 1), heading(3, 2), heading(8, 3), heading(12, 2)], {
      comment_lines: [4, 9],
      items: [ana, ben, item(9)],
      blocks: [3, 4, 8, 9, 12, 13].map((line_start) => ({ line_start, digest: `${line_start}` })),
      isRead: (digest) => ['12', '13', '8'].includes(digest),
    })
    expect(marks).toEqual([
      { comments: 2, ticked: 2, items: 3, last_tick: ben, read: false },
      { comments: 2, ticked: 2, items: 3, last_tick: ben, read: false },
      { comments: 1, ticked: 0, items: 1, last_tick: undefined, read: false },
      { comments: 0, ticked: 0, items: 0, last_tick: undefined, read: true },
    ])
  })
})

describe('requirements that lost force', () => {
  const requirement = (id: string, words: string) => `- **${id}**: The system ${words} lock the account.`
  const between = (before: string[], after: string[]) =>
    weakenedIn(compare(['# Feature', ...before], ['# Feature', '', ...after]).hunks)

  it('are those that bind less, and those that are gone', () => {
    const before = [requirement('FR-001', 'MUST'), requirement('FR-002', 'SHALL'), requirement('FR-003', 'SHOULD')]
    expect(between(before, [requirement('FR-001', 'SHOULD'), requirement('FR-002', 'MUST')])).toEqual([
      { id: 'FR-001', before: 'MUST', after: 'SHOULD', line: 3 },
      { id: 'FR-003', before: 'SHOULD', after: null, line: 2 },
    ])
  })

  it('are not those that moved, grew or are only mentioned', () => {
    const before = [requirement('FR-001', 'MAY'), requirement('FR-002', 'MUST'), 'As FR-002 says, it MUST lock.']
    expect(between(before, [requirement('FR-002', 'MUST'), 'As FR-002 says.', requirement('FR-001', 'MUST')])).toEqual(
      [],
    )
  })
})
