import {
  ServiceError,
  streamEventSchema,
  streamResetSchema,
  type ErrorCode,
  type StreamEvent,
  type StreamReset,
} from '@orchestrator/contract'
import { EventSourceParserStream } from 'eventsource-parser/stream'

import { parseJson, type Request } from './request.ts'

interface Reset {
  type: 'reset'
  data: StreamReset
}

export interface StreamOptions {
  /** Sequence of the last event already seen; left out, the service says where the stream begins. */
  after?: number
  /** Only the events of this workflow. */
  workflow_id?: string
  /** The event to go on after is no longer kept: what came in between was missed, so read everything again. */
  onReset?: () => void
  signal?: AbortSignal
}

const BACKOFF_MS = { first: 200, most: 10_000 }
/** The service sends a heartbeat far more often; a connection this silent is a dead one. */
const SILENCE_MS = 60_000
/** Refusals that waiting can cure; any other ends the stream. */
const PASSING: readonly ErrorCode[] = ['UNAVAILABLE', 'RATE_LIMITED', 'INTERNAL_ERROR', 'STORAGE_FULL']

/**
 * Reads events and, whenever the connection ends, goes on after the last one that was seen. Events of
 * types that this version does not know are passed over.
 */
export async function* followEvents(request: Request, options: StreamOptions = {}): AsyncGenerator<StreamEvent> {
  const { workflow_id, signal } = options
  const path = workflow_id === undefined ? 'events' : `workflows/${encodeURIComponent(workflow_id)}/events`
  let last = options.after
  let failures = 0

  while (!signal?.aborted) {
    try {
      for await (const event of readOnce(request, path, last, signal)) {
        if (event.type === 'reset') {
          last = event.data.sequence
          options.onReset?.()
          continue
        }
        // A service that lost nothing repeats nothing; this makes it so for one that resends.
        if (last !== undefined && event.sequence <= last) continue
        last = event.sequence
        failures = 0
        yield event
      }
    } catch (error) {
      if (error instanceof ServiceError && !PASSING.includes(error.code)) throw error
    }
    await sleep(Math.min(BACKOFF_MS.first * 2 ** failures++, BACKOFF_MS.most) * (0.5 + Math.random() / 2), signal)
  }
}

/** One connection, until it ends. Leaving the loop closes it. */
async function* readOnce(
  request: Request,
  path: string,
  last: number | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<StreamEvent | Reset> {
  const connection = new AbortController()
  let silence = setTimeout(() => connection.abort(), SILENCE_MS)
  const heard = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(chunk, controller) {
      clearTimeout(silence)
      silence = setTimeout(() => connection.abort(), SILENCE_MS)
      controller.enqueue(chunk)
    },
  })
  try {
    const body = await request.stream(path, last === undefined ? {} : { 'last-event-id': String(last) }, {
      signal: signal === undefined ? connection.signal : AbortSignal.any([signal, connection.signal]),
    })
    const messages = body
      .pipeThrough(heard)
      .pipeThrough(new TextDecoderStream())
      .pipeThrough(new EventSourceParserStream())
    for await (const message of messages) {
      const data = parseJson(message.data)
      if (message.event === 'reset') yield { type: 'reset', data: streamResetSchema.parse(data) }
      const event = streamEventSchema.safeParse(data)
      if (event.success) yield event.data
    }
  } finally {
    clearTimeout(silence)
    connection.abort()
  }
}

/** Ends early, and without an error, when the signal is aborted. */
function sleep(duration_ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, duration_ms)
    signal?.addEventListener('abort', done)
  })
}
