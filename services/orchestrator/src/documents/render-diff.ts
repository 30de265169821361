import type { RenderedDiff } from '@orchestrator/contract'

import { diffDocuments } from './document-diff.ts'
import { createHighlighter, languageOf } from './highlight-code.ts'
import { diffLines, renderHunks, type HighlightedTexts, type Hunk } from './line-diff.ts'
import { isReadAsDocument, renderDocument, textOf, type StoredArtifact } from './render-artifact.ts'
import { sanitise } from './sanitise.ts'

/** What is told beside the HTML, for programs and for the place of a comment. */
const HUNKS_MAX = 200
const HUNK_LINE_MAX = 1_000

/** How `before` became `after`: as one document with its words marked, or line by line with `by_lines` and for source. */
export function renderDiff(before: StoredArtifact, after: StoredArtifact, by_lines: boolean): RenderedDiff {
  const about = { base: before.digest, digest: after.digest, path: after.path }
  const old_text = textOf(before.content)
  const text = textOf(after.content)
  const hunks = old_text === undefined || text === undefined ? undefined : diffLines(old_text, text)
  if (old_text === undefined || text === undefined || hunks === undefined) {
    const html = `<p>These two versions are ${hunks === undefined && text !== undefined && old_text !== undefined ? 'too different' : 'binary or too large'} to be compared here. Look at each by itself, or download them.</p>`
    return { ...about, kind: 'unreadable', html, changes: 0, added_lines: 0, removed_lines: 0, hunks: [] }
  }
  const is_document = !by_lines && isReadAsDocument(before.path, old_text) && isReadAsDocument(after.path, text)
  const html = sanitise(
    is_document
      ? diffDocuments(renderDocument(old_text).html, renderDocument(text).html)
      : renderHunks(hunks, highlighted(before.path, old_text, after.path, text)),
  )
  return {
    ...about,
    kind: is_document ? 'document' : 'source',
    html,
    changes: html.split(' data-changed').length - 1,
    added_lines: count(hunks, '+'),
    removed_lines: count(hunks, '-'),
    hunks: hunks.slice(0, HUNKS_MAX).map((hunk) => ({ ...hunk, lines: hunk.lines.map(shortened) })),
  }
}

function highlighted(old_path: string, old_text: string, path: string, text: string): HighlightedTexts {
  const highlight = createHighlighter()
  return { before: highlight(old_text, languageOf(old_path)), after: highlight(text, languageOf(path)) }
}

const count = (hunks: readonly Hunk[], sign: '+' | '-'): number =>
  hunks.reduce((sum, { lines }) => sum + lines.filter((line) => line.startsWith(sign)).length, 0)

const shortened = (line: string): string => (line.length > HUNK_LINE_MAX ? `${line.slice(0, HUNK_LINE_MAX)} […]` : line)
