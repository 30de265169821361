import { blockAtLine, unfold } from './document-blocks.ts'

/** Brings the block that shows a line into sight, with the focus on it. */
export function goToLine(root: HTMLElement, line: number): void {
  const block = blockAtLine(root, line)
  if (block === undefined) return
  unfold(root, block)
  block.focus({ preventScroll: true })
  block.scrollIntoView({ block: 'center' })
}
