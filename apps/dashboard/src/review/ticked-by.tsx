import type { ChecklistItem } from '@orchestrator/contract'

import { Clock } from '../components/time.tsx'
import { actorName } from '../workflow/words.ts'

/** Who ticked an item here, or took its tick away, and when; nothing where it stands as the file has it. */
export function TickedBy({ item }: { item: ChecklistItem }) {
  if (item.ticked_by === null || item.ticked_at === null) return null
  return (
    <span className="text-sm whitespace-nowrap text-soft">
      {item.ticked ? 'ticked' : 'unticked'} by {actorName(item.ticked_by)}, <Clock at={item.ticked_at} />
    </span>
  )
}
