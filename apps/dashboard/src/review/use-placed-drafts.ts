import { useMemo } from 'react'
import { useQueries } from '@tanstack/react-query'

import type { Attempt, WorkflowType } from '@orchestrator/contract'

import { artifactTextQuery, diffQuery } from '../api/queries.ts'
import { phaseName } from '../workflow/words.ts'
import type { DraftStore } from './draft.ts'
import { isBlank, type Draft } from './draft-outbox.ts'
import { moveLines } from './move-lines.ts'
import { sourceOf } from './source-lines.ts'

/** Which file of which attempt a draft was written on, and the same file now. */
interface Origin {
  attempt: Attempt
  base: string
  digest: string
}

/**
 * The drafts as they stand in the attempt on screen: one from another attempt goes to where its lines are now. Where they
 * changed it keeps the text that it was about, and stands beside the document.
 */
export function usePlacedDrafts(
  store: DraftStore,
  workflow_type: WorkflowType,
  attempts: readonly Attempt[],
  shown: Attempt | undefined,
): DraftStore {
  const { all } = store
  const origins = useMemo(
    () => new Map(all.flatMap((draft) => (shown === undefined ? [] : originOf(draft, attempts, shown)))),
    [all, attempts, shown],
  )
  const pairs = [...new Map([...origins.values()].map((origin) => [`${origin.base} ${origin.digest}`, origin]))]
  const diffs = useQueries({
    queries: pairs.map(([, { base, digest }]) => ({ ...diffQuery(base, digest, 'lines'), enabled: base !== digest })),
  })
  const texts = useQueries({ queries: pairs.map(([, { base }]) => artifactTextQuery(base)) })
  if (shown === undefined) return store

  const placed = all.map((draft): Draft => {
    const written_on = attempts.find(({ id }) => id === draft.attempt_id)
    if (written_on === undefined || written_on === shown) return draft
    const from = `from ${written_on.phase === shown.phase ? '' : `${phaseName(workflow_type, written_on.phase)}, `}attempt ${written_on.number}`
    const here: Draft = { ...draft, attempt_id: shown.id, from }
    const origin = origins.get(draft.id)
    if (draft.lines === null) return here
    if (origin === undefined) return { ...here, lines: null }
    const at = pairs.findIndex(([key]) => key === `${origin.base} ${origin.digest}`)
    const diff = diffs[at]?.data
    const lines =
      origin.base === origin.digest ? draft.lines : diff === undefined ? undefined : moveLines(draft.lines, diff)
    if (lines !== undefined) return { ...here, lines }
    const text = texts[at]?.data
    return { ...here, lines: null, quote: draft.quote ?? (text === undefined ? null : sourceOf(text, draft.lines)) }
  })
  const comments = placed.filter(({ kind }) => kind !== 'note')
  return { ...store, all: placed, comments, written: comments.filter((draft) => !isBlank(draft)) }
}

function originOf(draft: Draft, attempts: readonly Attempt[], shown: Attempt): [string, Origin][] {
  const attempt = attempts.find(({ id }) => id === draft.attempt_id)
  const fileOf = (of: Attempt | undefined) => of?.artifacts.find(({ path }) => path === draft.path)
  const base = fileOf(attempt)
  const now = fileOf(shown)
  if (attempt === undefined || attempt === shown || base === undefined || now === undefined) return []
  return draft.lines === null ? [] : [[draft.id, { attempt, base: base.digest, digest: now.digest }]]
}
