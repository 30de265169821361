import { createHash } from 'node:crypto'
import type { Digest, RenderedArtifact } from '@orchestrator/contract'
import MarkdownIt from 'markdown-it'

import { createHighlighter, languageOf, renderTokens } from './highlight-code.ts'
import { escapeHtml, sanitise } from './sanitise.ts'

/** Larger texts are offered as a download only: no person reads them, and rendering would hold the service up. */
const READABLE_BYTES_MAX = 2 * 1024 * 1024
/** Each line of a source file is an element of its own. */
const READABLE_LINES_MAX = 50_000
/** Longer documents are shown as source: making Markdown of them takes seconds, in which nobody else is answered. */
const DOCUMENT_LENGTH_MAX = 128 * 1024
/** A longer line is cut in the readable form. */
const LINE_MAX = 5_000
const WORDS_PER_MINUTE = 220

export interface StoredArtifact {
  digest: Digest
  path: string
  media_type: string
  content: Uint8Array
}

type Block = RenderedArtifact['blocks'][number]

/** Readable HTML of what an agent wrote, which is hostile text: no raw HTML, no scripts, no images, nothing fetched. */
export function renderArtifact(artifact: StoredArtifact): RenderedArtifact {
  const { digest, path, media_type, content } = artifact
  const about = { digest, path, media_type, size: content.byteLength }
  const text = textOf(content)
  if (text === undefined) {
    const html = '<p>This file is binary or too large to show here. Download it to look at it.</p>'
    return { ...about, kind: 'unreadable', html, title: nameOf(path), reading_minutes: 0, blocks: [] }
  }
  const isDocument = isReadAsDocument(path, text)
  const { html, blocks } = isDocument ? renderDocument(text) : renderSource(path, text)
  return {
    ...about,
    kind: isDocument ? 'document' : 'source',
    html,
    title: (isDocument ? /^#\s+(.+)$/m.exec(text)?.[1]?.trim() : undefined) ?? nameOf(path),
    reading_minutes: Math.round((text.split(/\s+/).length / WORDS_PER_MINUTE) * 10) / 10,
    blocks,
  }
}

/** Long Markdown is read as the source that it is. */
export const isReadAsDocument = (path: string, text: string): boolean =>
  /\.(md|markdown)$/i.test(path) && text.length <= DOCUMENT_LENGTH_MAX

/** Undefined where a person cannot read it: binary, or too large. */
export function textOf(content: Uint8Array): string | undefined {
  if (content.byteLength > READABLE_BYTES_MAX || content.includes(0)) return undefined
  try {
    const lines = new TextDecoder('utf-8', { fatal: true }).decode(content).split('\n')
    if (lines.length > READABLE_LINES_MAX) return undefined
    return lines.map((line) => (line.length > LINE_MAX ? `${line.slice(0, LINE_MAX)} […]` : line)).join('\n')
  } catch {
    return undefined
  }
}

const markdown = new MarkdownIt({ html: false, linkify: false, typographer: false })
markdown.disable('image')
// Blocks know where they stand, so that a comment can name the lines it is about.
markdown.core.ruler.push('line_numbers', (state) => {
  for (const token of state.tokens) {
    if (token.map === null || token.nesting === -1) continue
    token.attrSet('data-line-start', String(token.map[0] + 1))
    token.attrSet('data-line-end', String(token.map[1]))
  }
})
markdown.renderer.rules['text'] = (tokens, index) => taskBoxes(escapeHtml(tokens[index]?.content ?? ''))

/** `[ ]` and `[x]` at the head of a list item, as signs that need no form control. */
function taskBoxes(html: string): string {
  return html
    .replace(/^\[ \] /, '<span class="task-open" role="img" aria-label="to do">☐</span> ')
    .replace(/^\[[xX]\] /, '<span class="task-done" role="img" aria-label="done">☑</span> ')
}

export function renderDocument(text: string): { html: string; blocks: Block[] } {
  const tokens = markdown.parse(text, {})
  const highlighter = createHighlighter()
  const highlight = (code: string, language: string) =>
    highlighter(code, language)?.map(renderTokens).join('\n') ?? escapeHtml(code)
  const html = sanitise(markdown.renderer.render(tokens, { ...markdown.options, highlight }, {}))
  return { html, blocks: blocksOf(tokens, text) }
}

/** The top-level blocks, in order. By its digest a block is known again in another version of the file. */
function blocksOf(tokens: ReturnType<typeof markdown.parse>, text: string): Block[] {
  const lines = text.split('\n')
  return tokens
    .filter((token) => token.level === 0 && token.nesting !== -1 && token.map !== null)
    .map((token) => ({ line_start: (token.map?.[0] ?? 0) + 1, line_end: token.map?.[1] ?? 1 }))
    .map(({ line_start, line_end }) => ({
      id: `L${line_start}-${line_end}`,
      line_start,
      line_end,
      digest: digestOf(
        lines
          .slice(line_start - 1, line_end)
          .join('\n')
          .trimEnd(),
      ),
    }))
}

const digestOf = (text: string) => createHash('sha256').update(text).digest('hex') as Digest

function renderSource(path: string, text: string): { html: string; blocks: Block[] } {
  const code = text.replace(/\n$/, '')
  const lines = createHighlighter()(code, languageOf(path))?.map(renderTokens) ?? code.split('\n').map(escapeHtml)
  const html = lines
    .map((line, i) => `<span class="line" data-line-start="${i + 1}" data-line-end="${i + 1}">${line}</span>`)
    .join('\n')
  return { html: `<pre class="source"><code>${html}</code></pre>`, blocks: [] }
}

function nameOf(path: string): string {
  return path.split('/').at(-1) ?? path
}
