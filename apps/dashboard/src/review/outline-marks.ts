import type { ChecklistItem } from '@orchestrator/contract'

import type { OutlineItem } from './document-blocks.ts'

/** What the outline says of a section: of all below its heading, to the next of its level. */
export interface SectionMarks {
  comments: number
  ticked: number
  items: number
  /** The tick given last, with who gave it. */
  last_tick: ChecklistItem | undefined
  /** Nothing in it is left to be read. */
  read: boolean
}

interface WhatStandsWhere {
  /** The last lines of drafts and sent comments. */
  comment_lines: readonly number[]
  items: readonly ChecklistItem[]
  blocks: readonly { line_start: number; digest: string }[]
  isRead: (digest: string) => boolean
}

export function markSections(outline: readonly OutlineItem[], what: WhatStandsWhere): SectionMarks[] {
  return outline.map(({ line, level }, index) => {
    const end = outline.slice(index + 1).find((next) => next.level <= level)?.line ?? Infinity
    const isHere = (at: number) => at >= line && at < end
    const items = what.items.filter((item) => isHere(item.line))
    const blocks = what.blocks.filter(({ line_start }) => isHere(line_start))
    return {
      comments: what.comment_lines.filter(isHere).length,
      ticked: items.filter(({ ticked }) => ticked).length,
      items: items.length,
      last_tick: items
        .filter(({ ticked_at }) => ticked_at !== null)
        .toSorted((one, other) => (other.ticked_at ?? '').localeCompare(one.ticked_at ?? ''))[0],
      read: blocks.length > 0 && blocks.every(({ digest }) => what.isRead(digest)),
    }
  })
}
