import type { IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { invocationEventSchema, type InvocationEvent } from '@orchestrator/contract'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import * as z from 'zod'

import { HubError } from '../core/agent-hub.ts'

/** How the hub's answers are read. Each throws a HubError for what makes no sense. */

export function isOk({ statusCode = 0 }: IncomingMessage): boolean {
  return statusCode >= 200 && statusCode < 300
}

export async function readAs<T>(schema: z.ZodType<T>, answer: IncomingMessage): Promise<T> {
  return parse(schema, parseText((await readBytes(answer)).toString()))
}

export async function readBytes(answer: IncomingMessage): Promise<Buffer> {
  try {
    return await buffer(answer)
  } catch (error) {
    throw new HubError(`The Agent Hub broke off in the middle of an answer (${causeOf(error)}).`, {
      transient: true,
      cause: error,
    })
  }
}

/** Ends when the stream ends or breaks: whoever reads it resumes. */
export async function* readEvents(answer: IncomingMessage): AsyncGenerator<InvocationEvent> {
  const received: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (event) => received.push(event) })
  answer.setEncoding('utf8')
  try {
    for await (const chunk of answer as AsyncIterable<string>) {
      parser.feed(chunk)
      for (const { event, data } of received.splice(0)) {
        if (event === 'agent.update' || event === 'invocation.finished')
          yield parse(invocationEventSchema, parseText(data))
      }
    }
  } catch (error) {
    if (error instanceof HubError) throw error
  }
}

/** Codes whose remedy is a person's, although their status would let one hope. */
const PERMANENT_CODES = new Set(['AGENT_UNAVAILABLE', 'AGENT_NOT_FOUND'])

/**
 * From an answer that is not a 2xx, in our envelope or, as some hubs do, wrapped once more under `detail`. One that says
 * nothing of the kind is of another server, or of a proxy in the hub's place: that may pass.
 */
export async function refusal(answer: IncomingMessage): Promise<HubError> {
  const { statusCode: status = 0, headers } = answer
  const text = await readBytes(answer).catch(() => '')
  const body = refusalSchema.safeParse(text.toString()).data
  const error = body?.error ?? body?.detail?.error
  const said = error?.message ?? `it answered ${status}.`
  if (status === 401 || status === 403) {
    return new HubError(`The Agent Hub refused us: ${said} Set AGENT_HUB_TOKEN to the same value for both.`, {
      transient: false,
    })
  }
  if (status === 421) {
    return new HubError(
      `The Agent Hub does not answer to the name in AGENT_HUB_URL: ${said} Add that name to ALLOWED_HOSTS of the hub, or set AGENT_HUB_URL to one that it knows.`,
      { transient: false },
    )
  }
  const wait = Number(headers['retry-after'])
  const patience = wait > 0 && wait <= 3600 ? { retry_after_ms: wait * 1000 } : {}
  if (error === undefined) {
    return new HubError(
      `What stands at AGENT_HUB_URL answered ${status}, but not like an Agent Hub. See whether a hub runs there, or set AGENT_HUB_URL to where one does.`,
      { transient: true, ...patience },
    )
  }
  const { code } = error
  const transient =
    (status === 408 || status === 409 || status === 429 || status >= 500) && !PERMANENT_CODES.has(code ?? '')
  return new HubError(`The Agent Hub refused the work: ${said}`, {
    transient,
    ...(code !== undefined && { code }),
    ...patience,
  })
}

const envelope = z.object({ code: z.string().optional(), message: z.string() })
const refusalSchema = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text)
    } catch {
      context.addIssue('no JSON')
      return z.NEVER
    }
  })
  .pipe(
    z.object({
      error: envelope.optional().catch(undefined),
      detail: z.object({ error: envelope }).optional().catch(undefined),
    }),
  )

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new HubError(
    `The Agent Hub gave an answer that cannot be understood (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}).`,
    { transient: true, cause: parsed.error },
  )
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new HubError('The Agent Hub gave an answer that is not JSON.', { transient: true, cause: error })
  }
}

/** What the system calls it, else what it says. */
export function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'code' in error && typeof error.code === 'string' ? error.code : error.message
}
