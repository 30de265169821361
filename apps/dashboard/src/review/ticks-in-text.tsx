import { useLayoutEffect, useState } from 'react'
import { createPortal } from 'react-dom'

import type { ChecklistItem } from '@orchestrator/contract'

import { useShortcuts } from '../keyboard/shortcuts.ts'
import { blockOf, linesOf } from './document-blocks.ts'
import { TickedBy } from './ticked-by.tsx'
import type { Checklists } from './use-checklists.ts'

interface TicksInTextProps {
  root: HTMLElement
  items: readonly ChecklistItem[]
  tick: Checklists['tick']
}

/** The boxes of a checklist, to be ticked where they stand; with who did, and when. */
export function TicksInText({ root, items, tick }: TicksInTextProps) {
  const tickHere = () => {
    const block = blockOf(document.activeElement)
    const item = items.find(({ line }) => block !== null && linesOf(block).start === line)
    if (item !== undefined) tick?.(item.id, !item.ticked)
  }
  useShortcuts(tick === null ? [] : [{ keys: 'x', does: 'Tick the item', run: tickHere }])
  return items.map((item) => <TickInText key={item.id} root={root} item={item} tick={tick} />)
}

function TickInText({ root, item, tick }: { root: HTMLElement; item: ChecklistItem; tick: Checklists['tick'] }) {
  const [hosts, setHosts] = useState<{ box: HTMLElement; note: HTMLElement } | null>(null)
  const { line } = item
  useLayoutEffect(() => {
    const sign = root.querySelector<HTMLElement>(
      `li[data-line-start="${line}"] > :is(.task-open, .task-done), li[data-line-start="${line}"] > p > :is(.task-open, .task-done)`,
    )
    if (sign === null) return
    const box = document.createElement('span')
    const note = document.createElement('span')
    box.className = 'task-box in-text'
    note.className = 'task-note in-text'
    sign.before(box)
    sign.hidden = true
    sign.parentElement?.append(note)
    setHosts({ box, note })
    return () => {
      box.remove()
      note.remove()
      sign.hidden = false
    }
  }, [root, line])
  if (hosts === null) return null
  return (
    <>
      {createPortal(
        <input
          type="checkbox"
          aria-label={item.text}
          checked={item.ticked}
          disabled={tick === null}
          onChange={(event) => tick?.(item.id, event.target.checked)}
        />,
        hosts.box,
      )}
      {createPortal(<TickedBy item={item} />, hosts.note)}
    </>
  )
}
