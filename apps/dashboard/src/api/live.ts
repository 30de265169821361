import { useEffect, useRef, useSyncExternalStore } from 'react'
import { useQueryClient, type QueryClient } from '@tanstack/react-query'

import type { StreamEvent } from '@orchestrator/contract'

import { applyEvent, throttle } from './apply-event.ts'
import { followEvents } from './shared-stream.ts'

/** A workflow created since the page was opened, as far as its event tells. */
type Created = Extract<StreamEvent, { type: 'workflow.created' }>
export type Arrival = Created['data'] & { id: Created['workflow_id'] }

/** What the whole page knows of its connection, and the workflows created since it was opened. */
interface Live {
  connected: boolean
  arrivals: readonly Arrival[]
}

let live: Live = { connected: true, arrivals: [] }
const listeners = new Set<() => void>()

function update(change: Partial<Live>): void {
  live = { ...live, ...change }
  for (const listener of listeners) listener()
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener)
  return () => listeners.delete(listener)
}

export const useLive = () => useSyncExternalStore(subscribe, () => live)

const ARRIVALS_KEPT = 200
/** A reconnect within this time is nobody's concern. */
const LOST_AFTER_MS = 1500

/**
 * What was read before the stream was open may have moved on unseen, at its first opening as well. What is being read
 * at this moment would be taken for the new reading, and is read once more when it is there.
 */
function readAgain(client: QueryClient): void {
  const under_way = client.getQueryCache().findAll({ fetchStatus: 'fetching' })
  void client.invalidateQueries()
  for (const { queryKey, promise } of under_way) {
    const again = () => void client.invalidateQueries({ queryKey, exact: true })
    void promise?.then(again, again)
  }
}

/** Keeps the page in step with the service for as long as it is mounted. */
export function useFollowEvents(
  onEvent: (event: StreamEvent) => void,
  /** The stream is back after it was lost. */
  onReturn: () => void,
): void {
  const client = useQueryClient()
  const told = useRef({ onEvent, onReturn })
  useEffect(() => {
    told.current = { onEvent, onReturn }
  })
  useEffect(() => {
    let was_lost = false
    let timer: ReturnType<typeof setTimeout> | undefined
    const refreshInbox = throttle(() => void client.invalidateQueries({ queryKey: ['inbox'] }), 300)
    const lose = () => {
      was_lost = true
      timer ??= setTimeout(() => update({ connected: false }), LOST_AFTER_MS)
    }
    const recover = () => {
      clearTimeout(timer)
      timer = undefined
      update({ connected: true })
      readAgain(client)
      if (was_lost) told.current.onReturn()
      was_lost = false
    }
    const close = followEvents({
      onEvent: (event) => {
        if (event.type === 'workflow.created')
          update({ arrivals: [{ ...event.data, id: event.workflow_id }, ...live.arrivals].slice(0, ARRIVALS_KEPT) })
        applyEvent(client, event, refreshInbox)
        told.current.onEvent(event)
      },
      onOpen: recover,
      onLost: lose,
      onReset: () => void client.invalidateQueries(),
    })
    return () => {
      clearTimeout(timer)
      close()
    }
  }, [client])
}
