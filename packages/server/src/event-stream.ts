import type { ServerResponse } from 'node:http'

import { ServiceError } from '@orchestrator/contract'
import type { FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'

/** One event of a stream; `data` goes out as one line of JSON. */
export interface ServerSentEvent {
  id?: string | number
  event: string
  data: unknown
}

/** Events, or what makes them when given a signal that aborts as soon as the client leaves or the server closes. */
export type EventSource = AsyncIterable<ServerSentEvent> | ((signal: AbortSignal) => AsyncIterable<ServerSentEvent>)

const RETRY_MS = 2_000
/** A client that took nothing for this many heartbeats is gone, whatever TCP says. */
const MAX_STALLED_HEARTBEATS = 4

const SEQUENCE = /^\d{1,15}$/
const SEQUENCE_MESSAGE = 'must be the id of an event: a whole number'

/** Query of an event stream, for its route's `querystring`. */
export const eventsQuerySchema = z.strictObject({
  after: z
    .string()
    .regex(SEQUENCE, SEQUENCE_MESSAGE)
    .optional()
    .describe('Start after this event; a `Last-Event-ID` header goes before it'),
})

/** The event a client saw last: its `Last-Event-ID` header, else `?after=`; undefined when it names none. */
export function lastEventId(request: FastifyRequest): number | undefined {
  const header = request.headers['last-event-id']
  const query = eventsQuerySchema.loose().safeParse(request.query)
  const [field, value] = header === undefined ? ['after', query.data?.after] : ['Last-Event-ID', String(header)]
  if (!query.success || (value !== undefined && !SEQUENCE.test(value))) {
    throw new ServiceError('VALIDATION_ERROR', `${field} ${SEQUENCE_MESSAGE}.`, {
      details: [{ field: field ?? 'after', message: SEQUENCE_MESSAGE }],
    })
  }
  return value === undefined ? undefined : Number(value)
}

/**
 * Answers with server-sent events until the source ends, the client leaves or the server closes; then
 * the source's `return` has been called. A slow client holds its own source, nobody else. Throws UNAVAILABLE or
 * RATE_LIMITED, still as an answer, when too many are open.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export async function sendEvents(request: FastifyRequest, reply: FastifyReply, source: EventSource): Promise<void> {
  const { open_streams } = request.server
  const { key_id } = request.actor
  open_streams.assertRoom(key_id)
  const leaving = new AbortController()
  const iterator = (typeof source === 'function' ? source(leaving.signal) : source)[Symbol.asyncIterator]()
  const { raw } = reply.hijack()
  const end = () => leaving.abort()
  raw.on('close', end).on('error', end)
  // Whoever left while it was looked up whether they may see this closes nothing any more.
  if (raw.destroyed) end()
  const close = open_streams.add({ end, beat: createHeartbeat(raw) }, key_id)
  startStream(reply)
  try {
    while (request.method !== 'HEAD') {
      const step = await unlessAborted(leaving.signal, () => iterator.next())
      if (step === undefined || step.done === true) break
      if (!raw.write(toFrame(step.value))) await unlessAborted(leaving.signal, () => drained(raw))
    }
  } catch (error) {
    // Too late for an error answer: the client connects again and asks for what it missed.
    request.log.error({ err: error }, 'an event stream broke off')
  } finally {
    close()
    end()
    // Not awaited: a generator that waits for its next event answers `return` only after that.
    iterator.return?.().catch((error: unknown) => request.log.error({ err: error }, 'an event source did not end well'))
    raw.end()
  }
}

function startStream(reply: FastifyReply): void {
  const { raw } = reply
  const headers = {
    ...reply.getHeaders(),
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store, no-transform',
    // Buffering proxies would hold events back.
    'x-accel-buffering': 'no',
    // Nothing follows a stream on its connection, and a closing server need not wait for it.
    connection: 'close',
  }
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) raw.setHeader(name, value)
  raw.flushHeaders()
  raw.write(`retry: ${RETRY_MS}\n\n`)
}

function toFrame(event: ServerSentEvent): string {
  const id = event.id === undefined ? '' : `id: ${event.id}\n`
  return `${id}event: ${event.event}\ndata: ${JSON.stringify(event.data)}\n\n`
}

function createHeartbeat(raw: ServerResponse): () => void {
  let stalled = 0
  return () => {
    stalled = raw.writableNeedDrain ? stalled + 1 : 0
    if (stalled >= MAX_STALLED_HEARTBEATS) raw.destroy()
    else if (stalled === 0) raw.write(': heartbeat\n\n')
  }
}

/** Undefined once the signal aborts. A new promise per step: racing one long-lived promise would collect a reaction per event. */
function unlessAborted<T>(signal: AbortSignal, step: () => Promise<T>): Promise<T | undefined> {
  if (signal.aborted) return Promise.resolve(undefined)
  return new Promise((resolve, reject) => {
    const abort = () => resolve(undefined)
    signal.addEventListener('abort', abort, { once: true })
    step()
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', abort))
  })
}

function drained(raw: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    raw.once('drain', resolve)
  })
}
