import { streamEventSchema, type StreamEvent } from '@orchestrator/contract'
import { createParser } from 'eventsource-parser'

/** Follows `/events` or `/workflows/{id}/events` as a browser would. */
export interface EventReader {
  status: number
  headers: Headers
  events: StreamEvent[]
  /** The ids of the frames, which a browser would send back. */
  ids: string[]
  /** The stream ended or broke off. */
  ended: Promise<void>
  leave(): Promise<void>
}

export async function readEvents(url: string, headers: Record<string, string> = {}): Promise<EventReader> {
  const leaving = new AbortController()
  const answer = await fetch(url, { headers: { accept: 'text/event-stream', ...headers }, signal: leaving.signal })
  const events: StreamEvent[] = []
  const ids: string[] = []
  const parser = createParser({
    onEvent: ({ id, data }) => {
      ids.push(id ?? '')
      events.push(streamEventSchema.parse(JSON.parse(data)))
    },
  })
  const decoder = new TextDecoder()
  const reading = (async () => {
    for await (const chunk of answer.body ?? []) parser.feed(decoder.decode(chunk, { stream: true }))
  })()
  // Both the one who leaves and a service that ends break the stream off.
  const ended = reading.catch(() => {})
  return {
    status: answer.status,
    headers: answer.headers,
    events,
    ids,
    ended,
    async leave() {
      leaving.abort()
      await ended
    },
  }
}
