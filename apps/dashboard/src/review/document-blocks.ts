import type { Anchor } from './draft.ts'

/** A heading of a rendered document. */
export interface OutlineItem {
  text: string
  level: number
  element: HTMLElement
}

const BLOCK = '[data-line-start]'

/** The smallest pieces that know their lines: paragraphs, list items, table rows, headings, code. */
export function findBlocks(root: HTMLElement): HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>(BLOCK)].filter(
    (element) => element.querySelector(BLOCK) === null || hasOwnWords(element),
  )
}

/** A list item with a list inside still has words that belong to nothing smaller. */
const hasOwnWords = (element: HTMLElement): boolean =>
  [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim() !== '')

/** Marks the blocks and makes them focusable, so that the keyboard can walk them. */
export function prepareBlocks(root: HTMLElement): void {
  for (const block of findBlocks(root)) {
    block.dataset['block'] = ''
    block.tabIndex = -1
  }
  // What scrolls by itself must be reachable without a pointer.
  for (const wide of root.querySelectorAll<HTMLElement>('pre, table'))
    if (wide.scrollWidth > wide.clientWidth) wide.tabIndex = 0
}

const lineOf = (element: HTMLElement, edge: 'lineStart' | 'lineEnd'): number => Number(element.dataset[edge] ?? 0)

export const linesOf = (block: HTMLElement): NonNullable<Anchor['lines']> => ({
  start: Math.max(1, lineOf(block, 'lineStart')),
  end: Math.max(1, lineOf(block, 'lineStart'), lineOf(block, 'lineEnd')),
})

/** The block a node lies in. */
export function blockOf(node: Node | null): HTMLElement | null {
  const element = node instanceof HTMLElement ? node : (node?.parentElement ?? null)
  return element?.closest<HTMLElement>('[data-block]') ?? null
}

/** The block that shows a line: the smallest that spans it, else the last one before it. */
export function blockAtLine(root: HTMLElement, line: number): HTMLElement | undefined {
  const blocks = [...root.querySelectorAll<HTMLElement>('[data-block]')]
  const spanning = blocks.filter((block) => linesOf(block).start <= line && linesOf(block).end >= line)
  return spanning.at(-1) ?? blocks.findLast((block) => linesOf(block).start <= line) ?? blocks[0]
}

/** Where something that belongs below a block can stand: a table row or list item cannot have a stranger beside it. */
export function placeBelow(block: HTMLElement): { parent: HTMLElement; before: ChildNode | null } {
  const table = block.closest('table')
  const anchor = table ?? block
  if (anchor.tagName === 'LI') return { parent: anchor, before: null }
  return { parent: anchor.parentElement ?? anchor, before: anchor.nextSibling }
}

/** The selected text inside `root`, with the lines it spans; undefined when nothing worth quoting is selected. */
export function readSelection(
  root: HTMLElement,
  longest: number,
): (Omit<Anchor, 'path'> & { box: DOMRect }) | undefined {
  const selection = document.getSelection()
  if (selection === null || selection.isCollapsed || selection.rangeCount === 0) return undefined
  const range = selection.getRangeAt(0)
  if (!root.contains(range.commonAncestorContainer)) return undefined
  const quote = selection.toString().trim().slice(0, longest)
  const first = blockOf(range.startContainer)
  const last = blockOf(range.endContainer) ?? first
  if (quote === '' || first === null || last === null) return undefined
  const lines = { start: linesOf(first).start, end: Math.max(linesOf(first).end, linesOf(last).end) }
  return { quote, lines, box: range.getBoundingClientRect() }
}

export function readOutline(root: HTMLElement): OutlineItem[] {
  return [...root.querySelectorAll<HTMLElement>('h1, h2, h3')].map((element) => ({
    text: element.textContent,
    level: Number(element.tagName.slice(1)),
    element,
  }))
}

/** Spec Kit's sign for what only a person can decide. */
const MARKER = /\[NEEDS CLARIFICATION:?[^\]]+\]/

/** Puts every marker into a `<mark>`, so that the eye finds it. */
export function highlightQuestions(root: HTMLElement): void {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
  const texts: Text[] = []
  while (walker.nextNode() !== null) if (walker.currentNode instanceof Text) texts.push(walker.currentNode)
  for (const text of texts) {
    const match = MARKER.exec(text.data)
    if (match === null || text.parentElement?.closest('mark, pre') != null) continue
    const marked = text.splitText(match.index)
    marked.splitText(match[0].length)
    const mark = document.createElement('mark')
    marked.replaceWith(mark)
    mark.append(marked)
  }
}

const normalise = (text: string): string => text.replace(/\s+/g, ' ').trim()

/** Marks the blocks whose words another version of the document does not have; answers how many. */
export function markChanges(root: HTMLElement, earlier_html: string | undefined): number {
  const blocks = findBlocks(root)
  for (const block of blocks) delete block.dataset['changed']
  if (earlier_html === undefined) return 0
  const earlier = new DOMParser().parseFromString(earlier_html, 'text/html').body
  const known = new Set(findBlocks(earlier).map((block) => normalise(block.textContent)))
  const changed = blocks.filter((block) => !known.has(normalise(block.textContent)))
  for (const block of changed) block.dataset['changed'] = ''
  return changed.length
}
