import { useEffect, useRef, useSyncExternalStore } from 'react'
import { useQueryClient } from '@tanstack/react-query'

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
      if (!was_lost) return
      was_lost = false
      void client.invalidateQueries()
      told.current.onReturn()
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
