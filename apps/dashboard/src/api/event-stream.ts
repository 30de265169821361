import type { StreamEvent, StreamEventType } from '@orchestrator/contract'

export interface StreamListener {
  onEvent: (event: StreamEvent) => void
  /** The stream is open; what was missed in between cannot be known after a `reset`. */
  onOpen: () => void
  onLost: () => void
  /** The last seen event is older than what the service keeps: read everything again. */
  onReset?: () => void
}

const EVENT_TYPES = [
  'workflow.created',
  'workflow.transition',
  'attempt.state',
  'question.answered',
  'checklist.ticked',
  'agent.update',
  'queue.state',
] as const satisfies readonly StreamEventType[]

const LONGEST_PAUSE_MS = 15_000

/**
 * Follows a stream of server-sent events until it is closed. EventSource reconnects by itself after a broken
 * connection, but gives up for good on an answer that is not 200 (a proxy's 502, a restart): then a new one
 * is opened after a growing pause and goes on from the last event seen.
 */
export function openEventStream(path: string, listener: StreamListener, after?: number): () => void {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let last = after
  let pause_ms = 500

  const connect = () => {
    source = new EventSource(last === undefined ? path : `${path}?after=${last}`)
    source.addEventListener('open', () => {
      pause_ms = 500
      listener.onOpen()
    })
    source.addEventListener('error', () => {
      listener.onLost()
      if (source?.readyState !== EventSource.CLOSED) return
      timer = setTimeout(connect, pause_ms)
      pause_ms = Math.min(pause_ms * 2, LONGEST_PAUSE_MS)
    })
    source.addEventListener('reset', () => listener.onReset?.())
    for (const type of EVENT_TYPES)
      source.addEventListener(type, (message: MessageEvent<string>) => {
        const event = JSON.parse(message.data) as StreamEvent
        last = event.sequence
        listener.onEvent(event)
      })
  }

  connect()
  return () => {
    clearTimeout(timer)
    source?.close()
  }
}
