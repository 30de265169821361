import { diffArrays } from 'diff'
import { DomUtils, parseDocument } from 'htmlparser2'

import { escapeHtml } from './sanitise.ts'
import { diffWords, similarity, wordsOf, type WordChange } from './word-diff.ts'

type Nodes = ReturnType<typeof parseDocument>['children']
type Node = Nodes[number]
type Element = Extract<Node, { attribs: object }>

/** A piece that is compared as a whole first: a block, or what runs in a line beside blocks. */
interface Piece {
  element: Element | undefined
  nodes: Node[]
  /** Its HTML without where it stood: equal ones are the same piece. */
  key: string
  words: string[]
}

const BLOCKS = new Set('p h1 h2 h3 h4 h5 h6 ul ol li blockquote pre table thead tbody tr td th hr'.split(' '))
const PIECES_EDITS_MAX = 1_000
/** Below this two blocks are two blocks, and not one that was changed. */
const ALIKE = 0.4

/** Two versions of a rendered document as one: words that went in `del`, words that came in `ins`, changed blocks marked. */
export function diffDocuments(before_html: string, after_html: string): string {
  return diffNodes(parseDocument(before_html).children, parseDocument(after_html).children)
}

function diffNodes(before: Nodes, after: Nodes): string {
  const old_pieces = piecesOf(before)
  const new_pieces = piecesOf(after)
  const comparator = (one: Piece, other: Piece) => one.key === other.key
  const changes = diffArrays(old_pieces, new_pieces, { comparator, maxEditLength: PIECES_EDITS_MAX })
  if (changes === undefined) return [...old_pieces.map(removed), ...new_pieces.map(added)].join('')
  let html = ''
  let gone: Piece[] = []
  for (const [index, { value, added: came, removed: went }] of changes.entries()) {
    if (went) {
      gone = value
      if (changes[index + 1]?.added === true) continue
    }
    html += came || went ? replaced(gone, came ? value : []) : value.map(({ nodes }) => outer(nodes)).join('')
    gone = []
  }
  return html
}

/** Pieces that went against pieces that came, in order: alike ones are one that was changed. */
function replaced(gone: readonly Piece[], came: readonly Piece[]): string {
  let html = ''
  let at = 0
  for (const piece of came) {
    const found = gone.findIndex((old, index) => index >= at && areAlike(old, piece))
    const old = gone[found]
    if (old === undefined) {
      html += added(piece)
      continue
    }
    html += gone.slice(at, found).map(removed).join('') + changed(old, piece)
    at = found + 1
  }
  return html + gone.slice(at).map(removed).join('')
}

const areAlike = (old: Piece, piece: Piece): boolean =>
  old.element?.name === piece.element?.name && similarity(old.words, piece.words) >= ALIKE

function changed(old: Piece, piece: Piece): string {
  const { element } = piece
  if (element === undefined || old.element === undefined)
    return `<span data-changed="">${inline(old.nodes, piece.nodes)}</span>`
  if (element.name === 'tr') return changedRow(old, piece)
  if (hasBlocks(element) || hasBlocks(old.element))
    return wrap(element, diffNodes(old.element.children, element.children))
  return wrap(element, inline(old.element.children, element.children), 'data-changed=""')
}

/** Cell by cell, for a row must keep its columns. */
function changedRow(old: Piece, piece: Piece): string {
  const cells = piecesOf(piece.element?.children ?? [])
  const old_cells = piecesOf(old.element?.children ?? [])
  if (piece.element === undefined || cells.length !== old_cells.length) return removed(old) + added(piece)
  const html = cells.map((cell, index) => {
    const before = old_cells[index]
    if (before === undefined || before.key === cell.key || cell.element === undefined) return outer(cell.nodes)
    return wrap(cell.element, inline(before.element?.children ?? [], cell.element.children))
  })
  return wrap(piece.element, html.join(''), 'data-changed=""')
}

const added = (piece: Piece): string => marked(piece, 'ins', 'data-changed=""')
const removed = (piece: Piece): string => marked(piece, 'del', 'data-changed="" data-removed=""')

/** The whole piece as come or gone, with every text in it inside the mark. */
function marked({ element, nodes }: Piece, mark: 'ins' | 'del', attributes: string): string {
  if (element === undefined) return `<${mark} ${attributes}>${outer(nodes)}</${mark}>`
  const kept = mark === 'ins' ? element : withoutLines(element)
  if (!hasBlocks(element)) return wrap(kept, `<${mark}>${outer(element.children)}</${mark}>`, attributes)
  const inner = piecesOf(element.children).map((piece) => marked(piece, mark, mark === 'del' ? 'data-removed=""' : ''))
  return wrap(kept, inner.join(''), attributes)
}

interface Word {
  kind: WordChange['kind']
  text: string
}

/** What runs in a line: the new one with its markup, the words that went where they stood. */
function inline(before: Nodes, after: Nodes): string {
  const changes = diffWords(wordsOf(textOf(before)), wordsOf(textOf(after)))
  const stream: Word[] = changes.flatMap(({ kind, before: gone, after: words }) =>
    (kind === 'removed' ? [gone.join('')] : words).map((text) => ({ kind, text })),
  )
  let at = 0
  const write = (nodes: Nodes): string =>
    nodes
      .map((node) => {
        if ('attribs' in node) return wrap(node, write(node.children))
        return 'data' in node ? writeText(node.data) : ''
      })
      .join('')
  const takeRemoved = (): string => {
    let html = ''
    for (let next = stream[at]; next?.kind === 'removed'; next = stream[++at]) html += tagged('del', next.text)
    return html
  }
  const writeText = (text: string): string => {
    let html = ''
    let came = ''
    let left = text
    while (left !== '') {
      const gone = takeRemoved()
      const next = stream[at]
      if (next === undefined) break
      if (gone !== '') {
        html += tagged('ins', came) + gone
        came = ''
      }
      // A word may run on into the next element, such as one that is half bold.
      const part = next.text.slice(0, left.length)
      left = left.slice(part.length)
      if (next.kind === 'added') came += part
      else {
        html += tagged('ins', came) + escapeHtml(part)
        came = ''
      }
      if (part.length === next.text.length) at++
      else stream[at] = { ...next, text: next.text.slice(part.length) }
    }
    return html + tagged('ins', came)
  }
  return write(after) + takeRemoved()
}

const tagged = (tag: 'ins' | 'del', text: string): string => (text === '' ? '' : `<${tag}>${escapeHtml(text)}</${tag}>`)

function piecesOf(nodes: Nodes): Piece[] {
  const pieces: Piece[] = []
  let run: Node[] = []
  const flush = () => {
    if (textOf(run).trim() !== '') pieces.push(pieceOf(undefined, run))
    run = []
  }
  for (const node of nodes) {
    if ('attribs' in node && BLOCKS.has(node.name)) {
      flush()
      pieces.push(pieceOf(node, [node]))
    } else run.push(node)
  }
  flush()
  return pieces
}

function pieceOf(element: Element | undefined, nodes: Node[]): Piece {
  const key = outer(nodes)
    .replaceAll(/ data-line-(?:start|end)="\d+"/g, '')
    .trim()
  return { element, nodes, key, words: wordsOf(textOf(nodes)) }
}

const hasBlocks = (element: Element): boolean =>
  element.name !== 'pre' && element.children.some((child) => 'attribs' in child && BLOCKS.has(child.name))

const textOf = (nodes: Nodes): string => DomUtils.textContent(nodes)
const outer = (nodes: Nodes): string => DomUtils.getOuterHTML(nodes)
const VOID = new Set(['hr', 'br'])

function wrap(element: Element, inner: string, more = ''): string {
  const attributes = Object.entries(element.attribs).map(([name, value]) => ` ${name}="${escapeHtml(value)}"`)
  const open = `<${element.name}${attributes.join('')}${more === '' ? '' : ` ${more}`}>`
  return VOID.has(element.name) ? open : `${open}${inner}</${element.name}>`
}

function withoutLines(element: Element): Element {
  const copy = element.cloneNode()
  copy.attribs = Object.fromEntries(Object.entries(element.attribs).filter(([name]) => !name.startsWith('data-line')))
  return copy
}
