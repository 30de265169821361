import type { Anchor } from './draft.ts'

/** A heading of a rendered document. */
export interface OutlineItem {
  text: string
  level: number
  element: HTMLElement
  line: number
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
  // Of a comparison what is gone can be walked to as well, and not commented on.
  for (const gone of root.querySelectorAll<HTMLElement>('[data-changed]')) gone.tabIndex = -1
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

/** Where a direct child of the document begins; the lines of fenced code stand on what is inside. */
function startOf(child: Element): number {
  const own = child instanceof HTMLElement && child.dataset['lineStart'] !== undefined ? child : null
  return lineOf(own ?? child.querySelector<HTMLElement>(BLOCK) ?? document.createElement('i'), 'lineStart')
}

/** The line at which the top-level block begins that an element lies in. */
export function topLevelStart(root: HTMLElement, element: Element | null): number | undefined {
  let at = element
  while (at !== null && at.parentElement !== root) at = at.parentElement
  return at === null ? undefined : startOf(at)
}

/** Marks the top-level blocks that were read. */
export function markViewed(root: HTMLElement, isViewed: (line_start: number) => boolean): void {
  for (const child of root.children)
    if (child instanceof HTMLElement && !isOurs(child)) child.toggleAttribute('data-viewed', isViewed(startOf(child)))
}

const isOurs = (element: Element): boolean => element.matches(OURS)
const opensSection = (element: Element): boolean => element.tagName === 'H1' || element.tagName === 'H2'

/**
 * Folds each section (a second-level heading and what follows it) of which all is known already. A line under the heading
 * says why and opens it; what is in `opened`, by the line of its heading, stays open. Answers how to undo it.
 */
export function foldSections(
  root: HTMLElement,
  reasonFor: (line_start: number) => string | undefined,
  opened: Set<number>,
): () => void {
  const notes: HTMLElement[] = []
  const children = [...root.children].filter((child) => child instanceof HTMLElement)
  children.forEach((heading, index) => {
    if (heading.tagName !== 'H2') return
    const rest = children.slice(index + 1)
    const end = rest.findIndex(opensSection)
    const body = end === -1 ? rest : rest.slice(0, end)
    const reason = reasonFor(startOf(heading))
    const isKnown = body.every((child) => !child.matches('.comments') && reasonFor(startOf(child)) !== undefined)
    const isCommented = [heading, ...body].some((child) => child.querySelector('.comments') !== null)
    if (reason === undefined || body.length === 0 || !isKnown || isCommented) return
    notes.push(foldSection(heading, body, reason, opened))
  })
  return () => {
    for (const note of notes) note.remove()
    for (const child of children) delete child.dataset['folded']
  }
}

function foldSection(heading: HTMLElement, body: HTMLElement[], reason: string, opened: Set<number>): HTMLElement {
  const line = startOf(heading)
  const note = document.createElement('div')
  const button = document.createElement('button')
  note.className = 'folded-note'
  button.type = 'button'
  note.append(button)
  const show = () => {
    const isOpen = opened.has(line)
    for (const child of body) child.toggleAttribute('data-folded', !isOpen)
    button.textContent = reason
    button.setAttribute('aria-expanded', String(isOpen))
    button.setAttribute('aria-label', `${heading.textContent}: ${reason}`)
  }
  button.addEventListener('click', () => {
    if (!opened.delete(line)) opened.add(line)
    show()
  })
  show()
  heading.after(note)
  return note
}

/** Opens the folded section that an element stands in. */
export function unfold(root: HTMLElement, element: HTMLElement): void {
  let at: Element | null = element
  while (at !== null && at.parentElement !== root) at = at.parentElement
  if (!(at instanceof HTMLElement) || at.dataset['folded'] === undefined) return
  for (; at !== null && !at.matches('.folded-note'); at = at.previousElementSibling);
  at?.querySelector('button')?.click()
}

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
    line: linesOf(element).start,
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

/** What the page itself put into the document. */
const OURS = '.comments, .folded-note, .in-text'

/** The words of the document in an element, without those of the page. */
function wordsOf(element: HTMLElement): string {
  const copy = element.cloneNode(true)
  if (copy instanceof HTMLElement) for (const ours of copy.querySelectorAll(OURS)) ours.remove()
  return (copy.textContent ?? '').replace(/\s+/g, ' ').trim()
}

/** What the document takes for granted: the points under its heading of that name. */
export function readAssumptions(root: HTMLElement): { text: string; line: number }[] {
  const children = [...root.children].filter((child) => child instanceof HTMLElement)
  const from = children.findIndex(
    ({ tagName, textContent }) => /^H[23]$/.test(tagName) && ASSUMPTIONS.test(textContent),
  )
  if (from === -1) return []
  const end = children.findIndex(({ tagName }, index) => index > from && /^H[1-6]$/.test(tagName))
  return children
    .slice(from + 1, end === -1 ? undefined : end)
    .flatMap((child) => [...child.querySelectorAll<HTMLElement>('li[data-line-start]')])
    .map((item) => ({ text: wordsOf(item), line: linesOf(item).start }))
}
const ASSUMPTIONS = /^\W*(?:\d+\.?\s*)?assumptions\b/i

/** Marks the blocks whose words another version of the document does not have; answers how many. */
export function markChanges(root: HTMLElement, earlier_html: string | undefined): number {
  const blocks = findBlocks(root)
  for (const block of blocks) delete block.dataset['changed']
  if (earlier_html === undefined) return 0
  const earlier = new DOMParser().parseFromString(earlier_html, 'text/html').body
  const known = new Set(findBlocks(earlier).map(wordsOf))
  const changed = blocks.filter((block) => !known.has(wordsOf(block)))
  for (const block of changed) block.dataset['changed'] = ''
  return changed.length
}

/** Marks the headings that a change stands under, those above them included. */
export function markLeads(root: HTMLElement): void {
  const above: { level: number; heading: HTMLElement }[] = []
  for (const child of root.children) {
    if (!(child instanceof HTMLElement)) continue
    const level = /^H[1-6]$/.test(child.tagName) ? Number(child.tagName.slice(1)) : undefined
    if (level !== undefined) {
      while ((above.at(-1)?.level ?? 0) >= level) above.pop()
      above.push({ level, heading: child })
    }
    const changed = child.dataset['changed'] !== undefined || child.querySelector('[data-changed]') !== null
    if (changed) for (const { heading } of above) heading.dataset['leads'] = ''
  }
}
