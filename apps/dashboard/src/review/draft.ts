import { useMemo } from 'react'
import { useQuery, useQueryClient } from '@tanstack/react-query'

import type { AttemptId, ReviewDraft, SaveDraft } from '@orchestrator/contract'

import { createIdentifier } from '../api/identifier.ts'
import { draftsQuery } from '../api/queries.ts'
import { mayReview, useSession } from '../api/session.ts'
import { readStored, useStored, writeStored } from '../preferences/stored-value.ts'
import { formatOutbox, isBlank, outboxKey, overlay, parseOutbox, type Draft, type Outbox } from './draft-outbox.ts'
import { useDraftSync, type SyncState } from './use-draft-sync.ts'

/** Where a comment belongs: a whole file or everything, lines of it, perhaps a quoted text. */
export type Anchor = Pick<SaveDraft, 'path' | 'lines' | 'quote'>

/** A comment that is not sent yet. */
export type DraftComment = Draft

export interface DraftStore {
  /** All of it, the note too. */
  all: Draft[]
  /** The comments, without the note. */
  comments: Draft[]
  /** Comments with words in them. */
  written: Draft[]
  /** The words for the verdict as a whole. */
  note: string
  /** Whether the service has all of it. */
  state: SyncState
  add: (anchor: Anchor, attempt_id: AttemptId, replacement?: string) => string
  change: (id: string, part: Partial<Pick<SaveDraft, 'text' | 'replacement' | 'quote'>>) => void
  remove: (id: string) => void
  setNote: (note: string, attempt_id: AttemptId) => void
  /** They are threads now: the service has taken them over. */
  forget: (ids: readonly string[]) => void
}

const NOTHING: readonly ReviewDraft[] = []

/**
 * The draft of a review. Each key stroke is kept by this browser at once and by the service a moment later: a reload,
 * a crash of either, another machine or somebody else's verdict loses nothing.
 */
export function useDraft(workflow_id: string, deciding: boolean): DraftStore {
  const session = useSession()
  const key = outboxKey(session?.name ?? '', workflow_id)
  const [stored, store] = useStored(key)
  const client = useQueryClient()
  const kept = useQuery({ ...draftsQuery(workflow_id), enabled: mayReview(session) }).data ?? NOTHING
  const outbox = useMemo(() => parseOutbox(stored), [stored])
  const state = useDraftSync(workflow_id, key, outbox, deciding)

  return useMemo(() => {
    const all = overlay(kept, outbox)
    const comments = all.filter(({ kind }) => kind !== 'note')
    const note = all.find(({ kind }) => kind === 'note')
    const post = (id: string, draft: SaveDraft | null) => store(formatOutbox({ ...outbox, [id]: draft }))
    const remove = (id: string) => post(id, null)
    return {
      all,
      comments,
      written: comments.filter((draft) => !isBlank(draft)),
      note: note?.text ?? '',
      state,
      add: (anchor, attempt_id, replacement) => {
        const id = createIdentifier()
        post(id, { ...anchor, attempt_id, kind: 'comment', text: '', replacement: replacement ?? null })
        return id
      },
      change: (id, part) => {
        const known = comments.find((comment) => comment.id === id)
        if (known !== undefined) post(id, { ...bodyOf(known), ...part })
      },
      remove,
      setNote: (text, attempt_id) => {
        if (text === '') return note && remove(note.id)
        const id = note?.id ?? createIdentifier()
        return post(id, { attempt_id, kind: 'note', path: null, lines: null, quote: null, text, replacement: null })
      },
      forget: (ids) => {
        const left: Outbox = Object.fromEntries(
          Object.entries(parseOutbox(readStored(key))).filter(([id]) => !ids.includes(id)),
        )
        writeStored(key, formatOutbox(left))
        client.setQueryData<ReviewDraft[]>(['drafts', workflow_id], (before) =>
          before?.filter(({ id }) => !ids.includes(id)),
        )
      },
    }
  }, [kept, outbox, state, store, key, client, workflow_id])
}

function bodyOf(draft: Draft): SaveDraft {
  const { id: _, from: __, ...body } = draft
  return body
}

/** The contract's `Comment`, as plain JSON. */
export type SentComment = {
  id: string
  path?: string
  lines?: { start: number; end: number }
  quote?: string
  text: string
  replacement?: string
}

const WORDLESS = 'Please use this wording.'

/** Without lines: after those that have some. */
const NO_LINE = Number.MAX_SAFE_INTEGER

/** What is sent with a verdict on `attempt_id`, in the order of the documents. Of a comment from another attempt the quote stays and the lines go. */
export function toComments(drafts: readonly Draft[], attempt_id: string): SentComment[] {
  return drafts
    .filter((draft) => !isBlank(draft))
    .toSorted(
      (one, other) =>
        Number(one.kind === 'note') - Number(other.kind === 'note') ||
        Number(one.path === null) - Number(other.path === null) ||
        (one.path ?? '').localeCompare(other.path ?? '') ||
        (one.lines?.start ?? NO_LINE) - (other.lines?.start ?? NO_LINE),
    )
    .map(({ id, path, lines, quote, text, replacement, attempt_id: written_on }) => {
      const here = lines !== null && written_on === attempt_id
      const words = text.trim()
      return {
        id,
        ...(path !== null && { path }),
        ...(here && { lines }),
        ...(quote !== null && { quote }),
        ...(here && path !== null && replacement !== null && { replacement }),
        text: wordsFor(words, here ? null : replacement),
      }
    })
}

/** Without its lines a suggestion is said in words. */
function wordsFor(words: string, replacement: string | null): string {
  if (replacement === null) return words === '' ? WORDLESS : words
  return [words, replacement === '' ? 'Remove this.' : `It should say: ${replacement}`]
    .filter((part) => part !== '')
    .join('\n\n')
}
