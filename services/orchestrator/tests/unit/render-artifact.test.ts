import type { Digest } from '@orchestrator/contract'
import fc from 'fast-check'
import { DomUtils, parseDocument } from 'htmlparser2'
import { describe, expect, it } from 'vitest'

import { renderArtifact } from '../../src/documents/render-artifact.ts'
import { createRenderer } from '../../src/documents/rendered-artifacts.ts'
import { HOSTILE_MARKDOWN } from '../hostile-markdown.ts'

const digest = '0'.repeat(64) as Digest
const bytes = (text: string) => new TextEncoder().encode(text)
const render = (text: string, path = 'specs/001-x/spec.md') =>
  renderArtifact({ digest, path, media_type: 'text/markdown', content: bytes(text) })

const ALLOWED_TAGS = new Set(
  'h1 h2 h3 h4 h5 h6 p blockquote ul ol li hr pre code br em strong s a span table thead tbody tr th td'.split(' '),
)
const ALLOWED_ATTRIBUTES = new Set(
  'data-line-start data-line-end href rel target class start role aria-label'.split(' '),
)

/** Every tag of some HTML with its attributes, read by the letter: a `<` that is not escaped is a tag. */
function tagsOf(html: string): { name: string; attributes: [string, string][] }[] {
  return [...html.matchAll(/<\/?([^\s/>]*)((?:"[^"]*"|'[^']*'|[^>"'])*)>?/g)].map(([, name = '', rest = '']) => ({
    name,
    attributes: [...rest.matchAll(/([^\s=/]+)(?:="([^"]*)")?/g)].map(([, key = '', value = '']) => [key, value]),
  }))
}

/** Where a browser would go that shows a page of this service; what it cannot read leads nowhere. */
function schemeOf(href: string): string {
  const text = href
    .replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
  return URL.parse(text, 'http://localhost:8000/')?.protocol ?? 'http:'
}

/** What holds for any HTML that reaches a reviewer. */
function expectHarmless(html: string): void {
  for (const { name, attributes } of tagsOf(html)) {
    expect(ALLOWED_TAGS).toContain(name)
    for (const [key] of attributes) expect(ALLOWED_ATTRIBUTES).toContain(key)
    const targets = attributes.filter(([key]) => key === 'href').map(([, value]) => value)
    for (const target of targets) expect(['http:', 'https:', 'mailto:']).toContain(schemeOf(target))
  }
}

describe('hostile Markdown', () => {
  it('comes in at least 150 forms', () => {
    expect(new Set(HOSTILE_MARKDOWN).size).toBeGreaterThanOrEqual(150)
  })

  it.each(HOSTILE_MARKDOWN.map((text) => [text]))('%j does no harm', (text) => {
    expectHarmless(render(text).html)
    expectHarmless(render(`# Heading\n\n- item\n\n  ${text}\n\n> ${text}\n`).html)
    expectHarmless(render(text, 'evil.html').html)
  })

  it('does no harm in any combination', () => {
    const pieces = fc.array(
      fc.oneof(fc.constantFrom(...HOSTILE_MARKDOWN), fc.string(), fc.constantFrom('\n', '> ', '- ', '`', '|')),
    )
    fc.assert(
      fc.property(pieces, (list) => {
        expectHarmless(render(list.join('')).html)
      }),
      { numRuns: 300 },
    )
  })
})

describe('a document', () => {
  const text = [
    '# Log in',
    '',
    'First *line*',
    'second line.',
    '',
    '- [ ] open',
    '- [x] done',
    '',
    '```ts',
    'const a = 1',
    '```',
    '',
    '| a | b |',
    '| - | - |',
    '| 1 | 2 |',
    '',
    '3. three',
    '',
    '[docs](https://example.com/a?b=c&d)',
  ].join('\n')

  it('keeps its structure, and every block knows its lines', () => {
    const { html, blocks, title, kind } = render(text)
    expect({ title, kind }).toEqual({ title: 'Log in', kind: 'document' })
    expect(html).toContain('<h1 data-line-start="1" data-line-end="1">Log in</h1>')
    expect(html).toContain('<p data-line-start="3" data-line-end="4">First <em>line</em>')
    expect(html).toContain('class="task-open"')
    expect(html).toContain('class="task-done"')
    expect(html).toMatch(/<code[^>]* class="language-ts"|<code class="language-ts"/)
    expect(html).toContain('<td>1</td>')
    expect(html).toContain('<ol start="3"')
    expect(html).toContain('href="https://example.com/a?b=c&amp;d" rel="noreferrer noopener nofollow" target="_blank"')
    expect(blocks.map(({ id, line_start, line_end }) => ({ id, line_start, line_end }))).toEqual(
      [
        [1, 1],
        [3, 4],
        [6, 8],
        [9, 11],
        [13, 15],
        [17, 18],
        [19, 19],
      ].map(([line_start, line_end]) => ({ id: `L${line_start}-${line_end}`, line_start, line_end })),
    )
  })

  it('has blocks within its lines, in order, for any text', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('# a', '', '- b', '  - c', '> d', '```', '| e |', '| - |', 'f', '    g')),
        (lines) => {
          const { blocks } = render(lines.join('\n'))
          const ends = blocks.map(({ line_end }) => line_end)
          for (const [i, { line_start, line_end }] of blocks.entries()) {
            expect(line_start).toBeGreaterThan(ends[i - 1] ?? 0)
            expect(line_end).toBeGreaterThanOrEqual(line_start)
            expect(line_end).toBeLessThanOrEqual(lines.length)
          }
        },
      ),
    )
  })

  it('is named after its file when it has no heading', () => {
    expect(render('text', 'a/b/plan.md').title).toBe('plan.md')
  })

  it('tells how long it takes to read', () => {
    expect(render('word '.repeat(440)).reading_minutes).toBe(2)
  })
})

describe('a source file', () => {
  it('shows every line as it is, with its number', () => {
    const { html, kind, title } = render('a <b> & "c"\n\n\tif (x) {\n', 'src/main.txt')
    expect({ kind, title }).toEqual({ kind: 'source', title: 'main.txt' })
    expect(html).toBe(
      '<pre class="source"><code><span class="line" data-line-start="1" data-line-end="1">a &lt;b&gt; &amp; &quot;c&quot;</span>\n' +
        '<span class="line" data-line-start="2" data-line-end="2"></span>\n' +
        '<span class="line" data-line-start="3" data-line-end="3">\tif (x) {</span></code></pre>',
    )
  })
})

describe('code', () => {
  it('is highlighted by classes alone, in a document by the name at its fence', () => {
    const { html } = render('```ts\nconst a = "<b>" // why\n```\n\n```\nconst b\n```\n')
    expect(html).toContain(
      '<span class="code-keyword">const</span> a = <span class="code-string">"&lt;b&gt;"</span> <span class="code-comment">// why</span>',
    )
    expect(html).toContain('>const b\n</code>')
    expect(html).not.toContain('style=')
  })

  it.each([
    ['src/main.py', 'def a():\n    return None', 'keyword">def<'],
    ['deploy/Dockerfile', 'FROM node:26', 'keyword">FROM<'],
    ['data/model.sql', 'select 1', 'keyword">select<'],
    ['change.diff', '+ came\n- went', 'added">+ came<'],
  ])('of the file %s is highlighted by its name', (path, code, piece) => {
    expect(render(code, path).html).toContain(`<span class="code-${piece}`)
  })

  it('that goes over several lines is highlighted in each of them', () => {
    const { html } = render('/* one\n   two */\nlet a', 'a.ts')
    expect(html.split('class="code-comment"')).toHaveLength(3)
    expect(html.split('class="line"')).toHaveLength(4)
  })

  it('says what it said, line by line, whatever it is', () => {
    const names = ['a.ts', 'b.cs', 'c.html', 'd.sh', 'e.yml', 'f.php', 'g.diff']
    const piece = fc.oneof(
      fc.constantFrom(...HOSTILE_MARKDOWN, '\n', '\r\n', '/*', '"', '`${', '<?php', '</'),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.constantFrom(...names), fc.array(piece), (name, pieces) => {
        const code = `x${pieces.join('')}`.replaceAll('\0', '')
        const { html } = render(code, name)
        expectHarmless(html)
        expect(html.split('class="line"').length - 1).toBe(code.replace(/\n$/, '').split('\n').length)
        expect(DomUtils.textContent(parseDocument(html))).toBe(code.replace(/\n$/, ''))
      }),
    )
  })

  it('stays plain when it is huge', () => {
    const { html } = render('const a = 1\n'.repeat(6_000), 'a.ts')
    expect(html).not.toContain('code-keyword')
    expect(html).toContain('const a = 1')
  })

  it('that keeps a grammar busy is cut short and stays plain, and so does what follows it', () => {
    const trap = `${'a'.repeat(1_900)}\n`.repeat(31)
    const begin = process.cpuUsage()
    const { html } = render(`\`\`\`cs\n${trap}\`\`\`\n\n\`\`\`ts\nconst a = 1\n\`\`\`\n`)
    const { user, system } = process.cpuUsage(begin)
    expect((user + system) / 1000).toBeLessThan(4000)
    expect(html).toContain('aaaa')
    expect(html).not.toContain('class="code-')
    expect(render('let a = 1', 'a.ts').html).toContain('code-keyword')
  })
})

describe('what is too much', () => {
  it('is cut when it is a huge line', () => {
    const { html } = render(`${'x'.repeat(1_500_000)}\nnext`)
    expect(html.length).toBeLessThan(6000)
    expect(html).toContain('[…]')
    expect(html).toContain('next')
  })

  it.each([
    ['a NUL', new Uint8Array([35, 32, 0, 97])],
    ['what is no UTF-8', new Uint8Array([0xff, 0xfe, 0x41])],
    ['more than 2 MiB', bytes('word word\n'.repeat(220_000))],
    ['more lines than anybody reads', bytes('\n'.repeat(1_000_000))],
  ])('is not shown when it has %s', (_what, content) => {
    const rendered = renderArtifact({ digest, path: 'specs/001-x/spec.md', media_type: 'text/markdown', content })
    expect(rendered).toMatchObject({ kind: 'unreadable', blocks: [], reading_minutes: 0, size: content.byteLength })
    expect(rendered.html).toContain('Download it')
  })

  it.each([
    ['paragraphs', 'word word word\n\n'],
    ['brackets', '['.repeat(4000) + '\n'],
    ['one paragraph of brackets', '[[[[[[[[[[[[[[[[[[[[\n'],
    ['stars', '*a **b '.repeat(600) + '\n'],
    ['backticks', '`'.repeat(4000) + ' '],
    ['quotes', '>'.repeat(4000) + '\n'],
    ['nested lists', '- '.repeat(2000) + '\n'],
    ['links', '[a](b "c") '.repeat(400) + '\n'],
    ['references', '[a]: b\n'],
    ['entities', '&amp;&lt;&#1234567;'.repeat(200) + '\n'],
    ['angles', '<'.repeat(4000) + '\n'],
    ['tables', '| a | b |\n| - | - |\n'],
  ])('is shown in bounded time: %s', (_what, unit) => {
    const begin = process.cpuUsage()
    render(unit.repeat(Math.floor((128 * 1024) / unit.length)))
    render(unit.repeat(Math.floor((2 * 1024 * 1024) / unit.length)))
    const { user, system } = process.cpuUsage(begin)
    expect((user + system) / 1000).toBeLessThan(4000)
  })

  it('is shown as source when it is a document too long to be made one at once', () => {
    const rendered = render('<b>word</b> **word**\n'.repeat(10_000))
    expect(rendered.kind).toBe('source')
    expectHarmless(rendered.html)
  })
})

describe('the renderer', () => {
  it('renders a digest once, and keeps the hundred used last', async () => {
    const { render } = createRenderer()
    const artifact = (n: number) => ({
      digest: n.toString(16).padStart(64, '0') as Digest,
      path: 'spec.md',
      media_type: 'text/markdown',
      content: bytes(`# ${n}`),
    })
    const first = await render(artifact(0))
    for (let n = 1; n < 100; n++) await render(artifact(n))
    expect(await render(artifact(0))).toBe(first)
    for (let n = 1; n <= 100; n++) await render(artifact(n))
    expect(await render(artifact(0))).not.toBe(first)
    expect((await render(artifact(0))).title).toBe('0')
  })

  it('does not keep what is very long', async () => {
    const { render } = createRenderer()
    const content = bytes('word\n'.repeat(20_000))
    const artifact = { digest, path: 'a.txt', media_type: 'text/plain', content }
    expect(await render(artifact)).not.toBe(await render(artifact))
  })
})
