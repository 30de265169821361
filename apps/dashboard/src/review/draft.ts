import { useMemo } from 'react'

import { createIdentifier } from '../api/identifier.ts'
import { useStored } from '../preferences/stored-value.ts'

/** Where a comment belongs: a whole file or everything, lines of it, perhaps a quoted text. */
export interface Anchor {
  path: string | null
  lines: { start: number; end: number } | null
  quote: string | null
}

/** A comment that is not sent yet. An answer to an open question asks for no rework by itself. */
export interface DraftComment extends Anchor {
  id: string
  text: string
  kind: 'comment' | 'answer'
  /** The attempt it was written on: in another one its lines mean nothing. */
  attempt_id: string
}

export interface Draft {
  comments: DraftComment[]
  /** The words for the verdict as a whole. */
  note: string
}

const EMPTY: Draft = { comments: [], note: '' }

const parseDraft = (stored: string | null): Draft => {
  if (stored === null) return EMPTY
  const kept = JSON.parse(stored) as Partial<Draft>
  return { comments: kept.comments ?? [], note: kept.note ?? '' }
}

export interface DraftStore {
  draft: Draft
  /** Comments with words in them. */
  written: DraftComment[]
  add: (anchor: Anchor, attempt_id: string) => string
  answer: (question: string, anchor: Anchor, attempt_id: string, text: string) => void
  change: (id: string, text: string) => void
  remove: (id: string) => void
  setNote: (note: string) => void
  clear: () => void
}

/** The draft of a review, kept with every key stroke: a reload, a crash or a refused verdict loses nothing. */
export function useDraft(workflow_id: string): DraftStore {
  const [stored, store] = useStored(`orchestrator.review.${workflow_id}`)
  return useMemo(() => {
    const draft = parseDraft(stored)
    const save = (next: Draft) => {
      const empty = next.comments.length === 0 && next.note === ''
      store(empty ? null : JSON.stringify(next))
    }
    const { comments } = draft
    return {
      draft,
      written: comments.filter(({ text }) => text.trim() !== ''),
      add: (anchor, attempt_id) => {
        const id = createIdentifier()
        save({ ...draft, comments: [...comments, { ...anchor, id, attempt_id, kind: 'comment', text: '' }] })
        return id
      },
      answer: (question, anchor, attempt_id, text) => {
        const others = comments.filter((comment) => comment.kind !== 'answer' || comment.quote !== question)
        const known = comments.find((comment) => comment.kind === 'answer' && comment.quote === question)
        const id = known?.id ?? createIdentifier()
        const mine: DraftComment = { ...anchor, quote: question, id, attempt_id, kind: 'answer', text }
        save({ ...draft, comments: text === '' ? others : [...others, mine] })
      },
      change: (id, text) =>
        save({ ...draft, comments: comments.map((comment) => (comment.id === id ? { ...comment, text } : comment)) }),
      remove: (id) => save({ ...draft, comments: comments.filter((comment) => comment.id !== id) }),
      setNote: (note) => save({ ...draft, note }),
      clear: () => store(null),
    }
  }, [stored, store])
}

/** The contract's `Comment`, as plain JSON. */
export type SentComment = {
  path?: string
  lines?: { start: number; end: number }
  quote?: string
  text: string
}

/** What is sent with a verdict on `attempt_id`. Of a comment from another attempt the quote stays and the lines go. */
export function toComments({ comments, note }: Draft, attempt_id: string): SentComment[] {
  const written = comments
    .filter(({ text }) => text.trim() !== '')
    .map(({ path, lines, quote, text, attempt_id: written_on }) => ({
      ...(path !== null && { path }),
      ...(lines !== null && written_on === attempt_id && { lines }),
      ...(quote !== null && { quote }),
      text: text.trim(),
    }))
  return note.trim() === '' ? written : [...written, { text: note.trim() }]
}
