import type { ReviewDraft, SaveDraft } from '@orchestrator/contract'

/** What is on its way to the service, by id; null for what is to be deleted there. */
export type Outbox = Readonly<Record<string, SaveDraft | null>>

/** A draft as the page shows it, kept by the service or still on its way there. */
export type Draft = SaveDraft & {
  id: string
  /** Said of one that was written on another attempt than the one on screen. */
  from?: string
}

/** Where this browser keeps a person's words until the service has them. */
export const outboxKey = (actor: string, workflow_id: string): string => `orchestrator.drafts.${actor}.${workflow_id}`

export const parseOutbox = (stored: string | null): Outbox => (stored === null ? {} : (JSON.parse(stored) as Outbox))

export const formatOutbox = (outbox: Outbox): string | null =>
  Object.keys(outbox).length === 0 ? null : JSON.stringify(outbox)

/** What the service has, with what is on its way there over it. */
export function overlay(kept: readonly ReviewDraft[], outbox: Outbox): Draft[] {
  const known = new Set(kept.map(({ id }) => id))
  const changed = kept.flatMap((saved): Draft[] => {
    const { created_at: _, updated_at: __, ...draft } = saved
    const pending = outbox[draft.id]
    if (pending === null) return []
    return [pending === undefined ? draft : { ...pending, id: draft.id }]
  })
  const begun = Object.entries(outbox).flatMap(([id, draft]) =>
    draft === null || known.has(id) ? [] : [{ ...draft, id }],
  )
  return [...changed, ...begun]
}

/** Takes out what has arrived, unless it was changed meanwhile. */
export function without(outbox: Outbox, id: string, arrived: SaveDraft | null): Outbox {
  if (JSON.stringify(outbox[id]) !== JSON.stringify(arrived)) return outbox
  const { [id]: _, ...rest } = outbox
  return rest
}

/** Nothing in it that would be worth keeping. */
export const isBlank = ({ text, replacement, quote }: Pick<SaveDraft, 'text' | 'replacement' | 'quote'>): boolean =>
  text.trim() === '' && (replacement === null || replacement === quote)

/** Whether the service is to have it by now: a comment that holds no word yet is this page's affair. */
export const isReady = (draft: SaveDraft | null): boolean => draft === null || !isBlank(draft)
