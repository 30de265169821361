import type { Thread } from '@orchestrator/contract'

import type { DraftComment } from './draft.ts'
import { DraftCard, type DraftEdits } from './draft-card.tsx'
import { shortPath } from './artifact-order.ts'
import { ThreadCard } from './thread-card.tsx'

interface GeneralCommentsProps {
  /** Drafts that have no place in the text on screen. */
  drafts: DraftComment[]
  threads: Thread[]
  edits: Omit<DraftEdits, 'onSuggest'>
}

/** Comments on the whole, on other files and on other attempts: none is ever out of sight. */
export function GeneralComments({ drafts, threads, edits }: GeneralCommentsProps) {
  if (drafts.length === 0 && threads.length === 0) return null
  return (
    <section aria-label="Comments outside this text" className="mb-3 *:first:mt-0">
      {threads.map((thread) => (
        <ThreadCard key={thread.id} thread={thread} />
      ))}
      {drafts.map((draft) => (
        <DraftCard key={draft.id} draft={draft} place={placeOf(draft)} onSuggest={null} {...edits} />
      ))}
    </section>
  )
}

const placeOf = ({ path }: DraftComment): string => (path === null ? 'on the whole' : `on ${shortPath(path)}`)
