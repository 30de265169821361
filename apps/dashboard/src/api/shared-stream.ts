import type { StreamEvent } from '@orchestrator/contract'

import { openEventStream, type StreamListener } from './event-stream.ts'

type Relayed = { kind: 'event'; event: StreamEvent } | { kind: 'open' } | { kind: 'lost' } | { kind: 'reset' }

/**
 * Follows `/events` once for all tabs of a browser: over HTTP/1.1 a browser opens six connections per origin, and
 * a stream per tab would leave none for anything else. The tab that holds the lock reads and tells the others;
 * when it goes, the next one continues from the last event it heard. Without locks (plain HTTP from another
 * machine) every tab reads for itself.
 */
export function followEvents(listener: StreamListener): () => void {
  if (!('locks' in navigator)) return openEventStream('/events', listener)

  const closing = new AbortController()
  const channel = new BroadcastChannel('orchestrator-events')
  let last: number | undefined

  const deliver = (relayed: Relayed) => {
    if (relayed.kind === 'event') {
      last = relayed.event.sequence
      listener.onEvent(relayed.event)
    }
    if (relayed.kind === 'open') listener.onOpen()
    if (relayed.kind === 'lost') listener.onLost()
    if (relayed.kind === 'reset') listener.onReset?.()
  }
  const relay = (relayed: Relayed) => {
    deliver(relayed)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a BroadcastChannel has no target
    channel.postMessage(relayed)
  }
  channel.addEventListener('message', (message: MessageEvent<Relayed>) => deliver(message.data))

  const lead = () =>
    new Promise<void>((resolve) => {
      // The lock may be granted in the moment in which the request for it is given up.
      if (closing.signal.aborted) return resolve()
      const close = openEventStream(
        '/events',
        {
          onEvent: (event) => relay({ kind: 'event', event }),
          onOpen: () => relay({ kind: 'open' }),
          onLost: () => relay({ kind: 'lost' }),
          onReset: () => relay({ kind: 'reset' }),
        },
        last,
      )
      closing.signal.addEventListener('abort', () => {
        close()
        resolve()
      })
    })

  // A request that is given up while it waits rejects with the abort, which is its ordinary end.
  navigator.locks.request('orchestrator-events', { signal: closing.signal }, lead).catch(() => undefined)

  return () => {
    closing.abort()
    channel.close()
  }
}
