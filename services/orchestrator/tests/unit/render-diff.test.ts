import fc from 'fast-check'
import { parseDocument, DomUtils } from 'htmlparser2'
import { describe, expect, it } from 'vitest'
import type { Digest } from '@orchestrator/contract'

import { renderArtifact } from '../../src/documents/render-artifact.ts'
import { renderDiff } from '../../src/documents/render-diff.ts'
import { HOSTILE_MARKDOWN } from '../hostile-markdown.ts'

const stored = (text: string | Uint8Array, path = 'specs/001-x/spec.md') => ({
  digest: 'a'.repeat(64) as Digest,
  path,
  media_type: 'text/markdown',
  content: typeof text === 'string' ? new TextEncoder().encode(text) : text,
})
const compare = (before: string, after: string, path?: string) =>
  renderDiff(stored(before, path), stored(after, path), false)
const byLines = (before: string, after: string) => renderDiff(stored(before), stored(after), true)

/** The text that stays when what is marked as `gone` is left out. */
function textWithout(html: string, gone: 'ins' | 'del'): string {
  const document = parseDocument(html)
  for (const element of DomUtils.getElementsByTagName(gone, document)) DomUtils.removeElement(element)
  return DomUtils.textContent(document).replaceAll(/\s+/g, '')
}
const textOf = (markdown: string) =>
  DomUtils.textContent(parseDocument(renderArtifact(stored(markdown)).html)).replaceAll(/\s+/g, '')

describe('a comparison of two documents', () => {
  it('marks the words that changed within a block that stayed', () => {
    const { kind, html, changes } = compare(
      '# Log in\n\nThe session lasts 1 h and then ends.\n',
      '# Log in\n\nThe session lasts 15 min and then ends.\n',
    )
    expect(kind).toBe('document')
    expect(changes).toBe(1)
    expect(html).toContain('<del>1 h </del><ins>15 min </ins>and then ends.')
    expect(html).toContain('<h1 data-line-start="1" data-line-end="1">Log in</h1>')
  })

  it('shows an item that came and one that went as items of the list', () => {
    const { html, changes } = compare(
      '- Sign in with a key\n- Sign out everywhere\n- Keep the last page\n',
      '- Sign in with a key\n- Keep the last page\n- Lock the account after five failures\n',
    )
    expect(changes).toBe(2)
    expect(html).toMatch(/<li data-changed data-removed><del>Sign out everywhere<\/del><\/li>/)
    expect(html).toMatch(/<li data-line-start="3" data-line-end="3" data-changed><ins>Lock the account.*<\/ins><\/li>/)
  })

  it('keeps the columns of a table', () => {
    const table = (limit: string) => `| Key | Limit |\n|---|---|\n| one | ${limit} |\n| two | 50 |\n`
    const { html, changes } = compare(table('60 per minute'), table('90 per minute'))
    expect(changes).toBe(1)
    expect(html).toContain('<td><del>60 </del><ins>90 </ins>per minute</td>')
    expect(html.split('<tr').length - 1).toBe(3)
  })

  it('keeps what stands inside a list item beside what changed', () => {
    const { html } = compare('- One\n  - inner first\n- Two\n', '- One more thing\n  - inner first\n- Two\n')
    expect(html).toContain('One <ins>more thing')
    expect(html).toContain('inner first')
    expect(html).not.toMatch(/<(?:ins|del)[^>]*>inner/)
  })

  it('says nothing of two equal ones', () => {
    expect(compare('# A\n\nText\n', '# A\n\nText\n')).toMatchObject({ changes: 0, added_lines: 0, hunks: [] })
  })

  it('holds all of the new one and all of the old one, whatever they are', () => {
    const word = fc.constantFrom('key', 'limit', 'MUST', 'fast', '**bold**', '`code`', 'a_b', '<b>', '&amp;', 'ü', '1.')
    const line = fc
      .tuple(fc.constantFrom('', '- ', '# ', '1. ', '> ', '| '), fc.array(word, { minLength: 1, maxLength: 6 }))
      .map(([lead, words]) => lead + words.join(' '))
    const text = fc.array(line, { maxLength: 12 }).map((lines) => lines.join('\n\n'))
    fc.assert(
      fc.property(text, text, (before, after) => {
        const { html } = compare(before, after)
        expect(textWithout(html, 'del')).toBe(textOf(after))
        expect(textWithout(html, 'ins')).toBe(textOf(before))
      }),
      { numRuns: 300 },
    )
  })

  it('lets hostile documents do nothing', () => {
    const hostile = HOSTILE_MARKDOWN.join('\n\n')
    for (const { html } of [compare('# A\n', hostile), compare(hostile, '# A\n'), byLines(hostile, '# A\n')]) {
      const elements = DomUtils.findAll(() => true, parseDocument(html).children)
      expect(elements.length).toBeGreaterThan(100)
      const tags = new Set(elements.map(({ name }) => name))
      expect([...tags].filter((tag) => /script|iframe|img|svg|style|form|object|input|math/.test(tag))).toEqual([])
      const attributes = new Set(elements.flatMap(({ attribs }) => Object.keys(attribs)))
      expect([...attributes].filter((name) => /^on|style|src/.test(name))).toEqual([])
      const links = elements.flatMap(({ attribs }) => attribs['href'] ?? [])
      expect(links.filter((href) => /^\s*(?:javascript|data|vbscript|file|blob):/i.test(href))).toEqual([])
    }
  })
})

describe('a comparison line by line', () => {
  it('has hunks with context, numbers and marked words', () => {
    const before = Array.from({ length: 30 }, (_, line) => `line ${line + 1}`)
    const { kind, html, hunks, added_lines, removed_lines } = byLines(
      before.join('\n'),
      before.with(19, 'line twenty').join('\n'),
    )
    expect(kind).toBe('source')
    expect([added_lines, removed_lines]).toEqual([1, 1])
    expect(hunks).toEqual([
      {
        old_start: 17,
        old_lines: 7,
        new_start: 17,
        new_lines: 7,
        lines: [' line 17', ' line 18', ' line 19', '-line 20', '+line twenty', ' line 21', ' line 22', ' line 23'],
      },
    ])
    expect(html).toContain('<span class="gap">16 unchanged lines</span>')
    expect(html).toMatch(/class="line removed" data-old-line="20" data-changed data-removed>line <del>20<\/del>/)
    expect(html).toMatch(/class="line added" data-line-start="20".*>line <ins>twenty<\/ins>/)
  })

  it('is what code gets', () => {
    const { kind, html } = compare('const a = "one two"\n', 'const a = "one three"\n', 'src/a.ts')
    expect(kind).toBe('source')
    expect(html).toContain('<span class="code-keyword">const</span> a = <span class="code-string">"one </span>')
    expect(html).toContain('<del><span class="code-string">two</span></del>')
    expect(html).toContain('<ins><span class="code-string">three</span></ins>')
  })

  it('holds all of the new code and all of the old, whatever it is', () => {
    const word = fc.constantFrom('const', 'a', '"b c"', '/*', '*/', '`', '<b>', '&amp;', '\n', '//', '{', ' ')
    const isLine = ({ attribs }: { attribs: Record<string, string> }) => /^line\b/.test(attribs['class'] ?? '')
    const code = fc.array(word, { maxLength: 30 }).map((words) => `x ${words.join(' ')}`)
    fc.assert(
      fc.property(code, code, (before, after) => {
        const { hunks, html } = compare(before, after, 'src/a.ts')
        const said = DomUtils.findAll(isLine, parseDocument(html).children).map(DomUtils.textContent)
        const told = hunks.flatMap(({ lines }) => lines.map((line) => `${line.slice(1)}\n`))
        expect(said.toSorted()).toEqual(told.toSorted())
      }),
    )
  })

  it.each([
    ['binary', new Uint8Array([0, 1, 2]), 'binary or too large'],
    ['another file altogether', Array.from({ length: 9_000 }, (_, line) => `x${line}`).join('\n'), 'too different'],
  ])('says so where one is %s', (_, content, words) => {
    const { kind, html } = renderDiff(
      stored(Array.from({ length: 9_000 }, (_, line) => `y${line}`).join('\n'), 'a.txt'),
      stored(content, 'a.txt'),
      false,
    )
    expect(kind).toBe('unreadable')
    expect(html).toContain(words)
  })
})
