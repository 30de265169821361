import { types } from 'node:util'
import { createContext, Script } from 'node:vm'
import hljs from 'highlight.js/lib/core'
import { parseDocument } from 'htmlparser2'

import { CODE_GRAMMARS } from './code-grammars.ts'
import { escapeHtml, type CODE_KINDS } from './sanitise.ts'

for (const [name, grammar] of Object.entries(CODE_GRAMMARS)) hljs.registerLanguage(name, grammar)

/** Longer code stays plain. */
const LENGTH_MAX = 60_000
/** For all code of one document. Grammars are patterns, and there are texts that keep a pattern busy for minutes. */
const TIME_MAX_MS = 250

export interface CodeToken {
  text: string
  kind: (typeof CODE_KINDS)[number] | null
}

/** The tokens of code, line by line; undefined where it stays plain. */
export type Highlighter = (code: string, language: string) => CodeToken[][] | undefined

/** For the code of one document: after a piece that takes too long the rest of it stays plain as well. */
export function createHighlighter(): Highlighter {
  let left_ms = TIME_MAX_MS
  return (code, language) => {
    if (hljs.getLanguage(language) === undefined || code.length > LENGTH_MAX || left_ms < 1) return undefined
    // A grammar is compiled at its first use, which is to end.
    hljs.highlight('', { language })
    const began = performance.now()
    const html = within(left_ms, () => hljs.highlight(code, { language, ignoreIllegals: true }).value)
    left_ms -= performance.now() - began
    return html === undefined ? undefined : linesOf(tokensOf(parseDocument(html).children, null))
  }
}

/** `src/a.test.ts` → `ts`, which the grammars know as one of their names. */
export function languageOf(path: string): string {
  const name = path.split('/').at(-1) ?? path
  return name.split('.').at(-1)?.toLowerCase() ?? ''
}

export const renderTokens = (tokens: readonly CodeToken[]): string =>
  tokens
    .map(({ text, kind }) =>
      kind === null ? escapeHtml(text) : `<span class="code-${kind}">${escapeHtml(text)}</span>`,
    )
    .join('')

const watched = createContext({ work: () => {} })
const call = new Script('work()')

/** Undefined when it takes longer: the engine then stops it wherever it is, in the middle of a pattern too. */
function within<T>(most_ms: number, work: () => T): T | undefined {
  let result: T | undefined
  watched['work'] = () => {
    result = work()
  }
  try {
    call.runInContext(watched, { timeout: Math.ceil(most_ms) })
  } catch (error) {
    // It is an error of the watched context, whose `Error` is another one.
    if (types.isNativeError(error) && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT') return undefined
    throw error
  }
  return result
}

/** The first class of each piece of highlight.js, as far as it means something here. */
const KINDS: Record<string, CodeToken['kind']> = {
  ...kind('keyword', 'keyword meta selector-tag doctag operator section'),
  ...kind('string', 'string regexp char link template-tag'),
  ...kind('number', 'number literal symbol bullet'),
  ...kind('comment', 'comment quote'),
  ...kind('name', 'title name selector-id selector-class'),
  ...kind('type', 'type built_in class'),
  ...kind('property', 'attr attribute property variable template-variable params selector-attr selector-pseudo'),
  ...kind('added', 'addition'),
  ...kind('removed', 'deletion'),
  ...kind(null, 'subst'),
}

function kind(of: CodeToken['kind'], scopes: string): Record<string, CodeToken['kind']> {
  return Object.fromEntries(scopes.split(' ').map((scope) => [`hljs-${scope}`, of]))
}

function tokensOf(nodes: ReturnType<typeof parseDocument>['children'], around: CodeToken['kind']): CodeToken[] {
  return nodes.flatMap((node): CodeToken[] => {
    if ('data' in node) return [{ text: node.data, kind: around }]
    if (!('attribs' in node)) return []
    const own = KINDS[node.attribs['class']?.split(' ')[0] ?? '']
    return tokensOf(node.children, own === undefined ? around : own)
  })
}

function linesOf(tokens: readonly CodeToken[]): CodeToken[][] {
  const lines: CodeToken[][] = [[]]
  for (const { text, kind: of } of tokens) {
    text.split('\n').forEach((part, index) => {
      if (index > 0) lines.push([])
      if (part !== '') lines.at(-1)?.push({ text: part, kind: of })
    })
  }
  return lines
}
