import type { PhaseFiles } from './phase-files.ts'
import { proseLines } from './prose.ts'

export interface ChecklistItem {
  /** `CHK001`, or the text where it has no number. */
  id: string
  ticked: boolean
  line: number
}

export const checklistPaths = (files: PhaseFiles): string[] =>
  [...files.texts.keys()]
    .filter((path) => path.startsWith(`${files.feature_directory}/checklists/`) && path.endsWith('.md'))
    .toSorted()

export const checklistItems = (text: string): ChecklistItem[] =>
  proseLines(text).flatMap((line) => {
    const mark = /^\s{0,8}[-*] \[([ xX])\] /.exec(line.text)
    if (mark === null) return []
    const rest = line.text.slice(mark[0].length).trim()
    return [{ id: /^CHK\d{3,}/.exec(rest)?.[0] ?? rest.slice(0, 80), ticked: mark[1] !== ' ', line: line.number }]
  })
