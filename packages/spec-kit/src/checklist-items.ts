import { proseLines } from './prose.ts'

export interface ChecklistItem {
  /** `CHK001`, or the text where it has no number. */
  id: string
  text: string
  ticked: boolean
  line: number
}

const ITEM = /^(\s{0,8}[-*] \[)([ xX])(\] )/

export const checklistItems = (text: string): ChecklistItem[] =>
  proseLines(text).flatMap((line) => {
    const mark = ITEM.exec(line.text)
    if (mark === null) return []
    const rest = line.text.slice(mark[0].length).trim()
    const id = /^CHK\d{3,}/.exec(rest)?.[0] ?? rest.slice(0, 80)
    return [{ id, text: rest, ticked: mark[2] !== ' ', line: line.number }]
  })

/** The same text with these items ticked or not; those that it does not have are left out. */
export function tickItems(text: string, wanted: ReadonlyMap<string, boolean>): string {
  const lines = text.split('\n')
  for (const { id, line } of checklistItems(text)) {
    const ticked = wanted.get(id)
    if (ticked === undefined) continue
    lines[line - 1] = (lines[line - 1] ?? '').replace(
      ITEM,
      (_, before: string, __, after: string) => `${before}${ticked ? 'x' : ' '}${after}`,
    )
  }
  return lines.join('\n')
}
