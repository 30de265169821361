import type { RenderedDiff } from '@orchestrator/contract'
import { structuredPatch } from 'diff'

import { renderTokens, type CodeToken } from './highlight-code.ts'
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

/** The tokens of both texts by line; undefined where a text stays plain. */
export interface HighlightedTexts {
  before: CodeToken[][] | undefined
  after: CodeToken[][] | undefined
}

/** Hunks as one block of source, each line with its number, changed words marked within changed lines. */
export function renderHunks(hunks: readonly Hunk[], highlighted: HighlightedTexts): string {
  let last = 1
  const parts = hunks.map((hunk) => {
    const skipped = hunk.new_start - last
    last = hunk.new_start + hunk.new_lines
    return `${gap(skipped)}${renderHunk(hunk, highlighted)}`
  })
  return `<pre class="source compared"><code>${parts.join('')}</code></pre>`
}

const gap = (lines: number): string =>
  lines <= 0 ? '' : `<span class="gap">${lines === 1 ? '1 unchanged line' : `${lines} unchanged lines`}</span>`

function renderHunk({ old_start, new_start, lines }: Hunk, { before, after }: HighlightedTexts): string {
  let old_line = old_start
  let new_line = new_start
  const html: string[] = []
  const oldTokens = (number: number, text: string) => before?.[number - 1] ?? plain(text)
  const newTokens = (number: number, text: string) => after?.[number - 1] ?? plain(text)
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? ''
    if (line.startsWith(' ')) {
      html.push(contextLine(new_line, renderTokens(newTokens(new_line, line.slice(1)))))
      new_line++
      old_line++
      continue
    }
    const went = run(lines, at, '-')
    const came = run(lines, at + went.length, '+')
    at += went.length + came.length - 1
    const pairs = went.length === came.length ? went.map((text, index) => compare(text, came[index] ?? '')) : undefined
    went.forEach((text, index) => {
      html.push(removedLine(old_line, markChanges(oldTokens(old_line, text), pairs?.[index]?.before, 'del')))
      old_line++
    })
    came.forEach((text, index) => {
      html.push(addedLine(new_line, markChanges(newTokens(new_line, text), pairs?.[index]?.after, 'ins')))
      new_line++
    })
  }
  return html.join('')
}

const plain = (text: string): CodeToken[] => [{ text, kind: null }]

function run(lines: readonly string[], from: number, sign: string): string[] {
  const end = lines.findIndex((line, index) => index >= from && !line.startsWith(sign))
  return lines.slice(from, end === -1 ? lines.length : end).map((line) => line.slice(1))
}

/** A stretch of a line, and whether it is what changed. */
interface Stretch {
  length: number
  changed: boolean
}

function compare(before: string, after: string): { before: Stretch[]; after: Stretch[] } | undefined {
  if (before.length > COMPARED_LINE_MAX || after.length > COMPARED_LINE_MAX) return undefined
  const changes = diffWords(wordsOf(before), wordsOf(after))
  return {
    before: changes.map(({ kind, before: words }) => ({ length: words.join('').length, changed: kind === 'removed' })),
    after: changes.map(({ kind, after: words }) => ({ length: words.join('').length, changed: kind === 'added' })),
  }
}

function markChanges(tokens: CodeToken[], stretches: Stretch[] | undefined, mark: 'ins' | 'del'): string {
  if (stretches === undefined) return renderTokens(tokens)
  let from = 0
  return stretches
    .map(({ length, changed }) => {
      const html = renderTokens(cut(tokens, from, from + length))
      from += length
      return changed && html !== '' ? `<${mark}>${html}</${mark}>` : html
    })
    .join('')
}

/** What of the tokens lies between two places of their line. */
function cut(tokens: readonly CodeToken[], from: number, to: number): CodeToken[] {
  let start = 0
  return tokens.flatMap(({ text, kind }) => {
    const part = text.slice(Math.max(0, from - start), Math.max(0, to - start))
    start += text.length
    return part === '' ? [] : [{ text: part, kind }]
  })
}

const lines = (number: number): string => `data-line-start="${number}" data-line-end="${number}"`
const contextLine = (number: number, html: string) => `<span class="line" ${lines(number)}>${html}\n</span>`
const addedLine = (number: number, html: string) =>
  `<span class="line added" ${lines(number)} data-changed="">${html}\n</span>`
const removedLine = (number: number, html: string) =>
  `<span class="line removed" data-old-line="${number}" data-changed="" data-removed="">${html}\n</span>`
