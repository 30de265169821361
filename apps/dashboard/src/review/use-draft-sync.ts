import { useEffect, useRef, useState } from 'react'
import { useQueryClient } from '@tanstack/react-query'

import type { ReviewDraft, SaveDraft } from '@orchestrator/contract'

import { isRefusal } from '../api/request.ts'
import { deleteDraft, saveDraft } from '../api/review-notes.ts'
import { readStored, writeStored } from '../preferences/stored-value.ts'
import { formatOutbox, isReady, parseOutbox, without, type Outbox } from './draft-outbox.ts'

/** A pause in typing; what was typed is in this browser meanwhile. */
const PAUSE_MS = 400
const AGAIN_MS = 2_000

export type SyncState = 'saved' | 'saving' | 'waiting'

/**
 * Brings what is in the outbox to the service, and again until it arrives. Not while a verdict is on its way: that takes
 * the drafts along.
 */
export function useDraftSync(workflow_id: string, key: string, outbox: Outbox, deciding: boolean): SyncState {
  const client = useQueryClient()
  const [failures, setFailures] = useState(0)
  const sending = useRef(false)
  const ready = Object.entries(outbox).filter(([, draft]) => isReady(draft))
  const work = JSON.stringify(ready)

  useEffect(() => {
    if (work === '[]') setFailures(0)
    if (work === '[]' || deciding) return
    const send = async () => {
      if (sending.current) return setFailures((count) => count + 1)
      sending.current = true
      try {
        for (const [id, draft] of JSON.parse(work) as [string, SaveDraft | null][]) {
          const saved = await sendOne(workflow_id, id, draft)
          client.setQueryData<ReviewDraft[]>(['drafts', workflow_id], (kept = []) => [
            ...kept.filter((other) => other.id !== id),
            ...(saved === undefined ? [] : [saved]),
          ])
          writeStored(key, formatOutbox(without(parseOutbox(readStored(key)), id, draft)))
        }
        setFailures(0)
      } catch {
        setFailures((count) => count + 1)
      } finally {
        sending.current = false
      }
    }
    const timer = setTimeout(() => void send(), failures === 0 ? PAUSE_MS : AGAIN_MS)
    return () => clearTimeout(timer)
  }, [work, failures, deciding, client, key, workflow_id])

  if (ready.length === 0) return 'saved'
  return failures > 0 ? 'waiting' : 'saving'
}

/** Undefined when there is nothing to keep: it was deleted, or has been sent with a verdict meanwhile. */
async function sendOne(workflow_id: string, id: string, draft: SaveDraft | null): Promise<ReviewDraft | undefined> {
  try {
    if (draft !== null) return await saveDraft(workflow_id, id, draft)
    await deleteDraft(workflow_id, id)
    return undefined
  } catch (error) {
    if (isRefusal(error, 'DRAFT_CLOSED')) return undefined
    throw error
  }
}
