import type { RenderedDiff } from '@orchestrator/contract'
import { structuredPatch } from 'diff'

import { escapeHtml } from './sanitise.ts'
import { diffWords, wordsOf } from './word-diff.ts'

export type Hunk = RenderedDiff['hunks'][number]

const CONTEXT_LINES = 3
/** More changed lines than this are another file, not a change. */
const EDITS_MAX = 1_200
/** Within longer lines the words are not compared. */
const COMPARED_LINE_MAX = 2_000

/** The changed places of a text with three lines around each; undefined when too much differs. */
export function diffLines(before: string, after: string): Hunk[] | undefined {
  const patch = structuredPatch('', '', before, after, '', '', { context: CONTEXT_LINES, maxEditLength: EDITS_MAX })
  return patch?.hunks.map(({ oldStart, oldLines, newStart, newLines, lines }) => ({
    old_start: oldStart,
    old_lines: oldLines,
    new_start: newStart,
    new_lines: newLines,
    lines: lines.filter((line) => !line.startsWith('\\')),
  }))
}

/** Hunks as one block of source, each line with its number, changed words marked within changed lines. */
export function renderHunks(hunks: readonly Hunk[]): string {
  let last = 1
  const parts = hunks.map((hunk) => {
    const skipped = hunk.new_start - last
    last = hunk.new_start + hunk.new_lines
    return `${gap(skipped)}${renderHunk(hunk)}`
  })
  return `<pre class="source compared"><code>${parts.join('')}</code></pre>`
}

const gap = (lines: number): string =>
  lines <= 0 ? '' : `<span class="gap">${lines === 1 ? '1 unchanged line' : `${lines} unchanged lines`}</span>`

function renderHunk({ old_start, new_start, lines }: Hunk): string {
  let old_line = old_start
  let new_line = new_start
  const html: string[] = []
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (line.startsWith(' ')) {
      html.push(contextLine(new_line++, line.slice(1)))
      old_line++
      continue
    }
    const went = run(lines, at, '-')
    const came = run(lines, at + went.length, '+')
    at += went.length + came.length - 1
    const pairs = went.length === came.length
    went.forEach((text, index) =>
      html.push(removedLine(old_line++, pairs ? compared(text, came[index] ?? '').before : escapeHtml(text))),
    )
    came.forEach((text, index) =>
      html.push(addedLine(new_line++, pairs ? compared(went[index] ?? '', text).after : escapeHtml(text))),
    )
  }
  return html.join('')
}

function run(lines: readonly string[], from: number, sign: string): string[] {
  const end = lines.findIndex((line, index) => index >= from && !line.startsWith(sign))
  return lines.slice(from, end === -1 ? lines.length : end).map((line) => line.slice(1))
}

function compared(before: string, after: string): { before: string; after: string } {
  if (before.length > COMPARED_LINE_MAX || after.length > COMPARED_LINE_MAX)
    return { before: escapeHtml(before), after: escapeHtml(after) }
  const html = { before: '', after: '' }
  for (const change of diffWords(wordsOf(before), wordsOf(after))) {
    const old_text = escapeHtml(change.before.join(''))
    const text = escapeHtml(change.after.join(''))
    html.before += change.kind === 'removed' ? `<del>${old_text}</del>` : old_text
    html.after += change.kind === 'added' ? `<ins>${text}</ins>` : text
  }
  return html
}

const lines = (number: number): string => `data-line-start="${number}" data-line-end="${number}"`
const contextLine = (number: number, text: string) => `<span class="line" ${lines(number)}>${escapeHtml(text)}\n</span>`
const addedLine = (number: number, html: string) =>
  `<span class="line added" ${lines(number)} data-changed="">${html}\n</span>`
const removedLine = (number: number, html: string) =>
  `<span class="line removed" data-old-line="${number}" data-changed="" data-removed="">${html}\n</span>`
