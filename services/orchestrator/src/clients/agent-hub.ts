import {
  hubAgentsSchema,
  hubHealthSchema,
  hubWorkspaceSchema,
  invocationEventSchema,
  invocationSchema,
  invokeResponseSchema,
  pushedBranchSchema,
  repositoryFeatureSchema,
  workspacePageSchema,
  type FeatureId,
  type Invocation,
  type InvocationEvent,
  type InvokeResponse,
  type PushFeature,
} from '@orchestrator/contract'
import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { Agent, fetch, type RequestInit, type Response } from 'undici'
import * as z from 'zod'

import { HubError, type AgentHub, type InvokeOptions } from '../core/ports.ts'

export interface AgentHubClientOptions {
  /** `AGENT_HUB_URL`. */
  url: string
  /** `AGENT_HUB_TOKEN`; undefined sends none. */
  token: string | undefined
}

/** A stream without a sign of life for so long is taken for dead, and resumed. The hub sends heartbeats more often. */
const STREAM_SILENCE_MS = 12_000
/** An answer to a short question, and a connection, must come within these. */
const ANSWER_MS = 10_000
const CONNECT_MS = 5_000
/** How long an invoke that is no longer wanted may still tell its id, so that the hub can be told to stop it. */
const ABORT_GRACE_MS = 2_000
/** A hub that answers at the end of the work says nothing for hours: the system asks after the peer from so long on, each second. */
const KEEP_ALIVE_MS = 4_000
/** Between a broken stream, or an answer "still running", and the next look. */
const RESUME_MS = 500

/**
 * The AgentHub port over HTTP: starts or attaches by key (`Prefer: respond-async`), follows the events,
 * and takes a plain answer from hubs that offer no more.
 */
export class AgentHubClient implements AgentHub {
  readonly #url: string
  readonly #headers: Record<string, string>
  /** A plain hub answers when the work is done, which may take hours. */
  readonly #patient = new Agent({
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: { timeout: CONNECT_MS, keepAliveInitialDelay: KEEP_ALIVE_MS },
  })
  readonly #streaming = new Agent({
    headersTimeout: ANSWER_MS,
    bodyTimeout: STREAM_SILENCE_MS,
    connect: { timeout: CONNECT_MS },
    pipelining: 0,
  })
  /** Keeps no connection, as streams do not: where one has gone silent, those that were idle beside it are dead as well. */
  readonly #prompt = new Agent({
    headersTimeout: ANSWER_MS,
    bodyTimeout: ANSWER_MS,
    connect: { timeout: CONNECT_MS },
    pipelining: 0,
  })
  /** Whether the hub takes work on at once and goes on by itself; undefined until it has told. */
  #isAsync: boolean | undefined

  constructor(o: AgentHubClientOptions) {
    this.#url = o.url.replace(/\/+$/, '')
    this.#headers = o.token === undefined ? {} : { authorization: `Bearer ${o.token}` }
  }

  async invoke(o: InvokeOptions): Promise<InvokeResponse> {
    const answer = await this.#post(o)
    this.#isAsync = answer.status === 202
    if (answer.status !== 202) return parse(invokeResponseSchema, await readJson(answer))
    const invocation = parse(invocationSchema, await readJson(answer))
    await o.onAccepted(invocation)
    o.signal.throwIfAborted()
    return responseOf(invocation.response === null ? await this.#follow(invocation.id, o) : invocation)
  }

  async cancel(invocation_id: string): Promise<void> {
    const path = `/invocations/${encodeURIComponent(invocation_id)}/cancel`
    const answer = await this.#send(path, { method: 'POST', dispatcher: this.#prompt })
    await answer.body?.cancel()
    // What the hub does not know, or cannot cancel, is not running there.
    if (!answer.ok && answer.status !== 404 && answer.status !== 405) throw await refusal(answer)
  }

  async cancelByKey(idempotency_key: string): Promise<boolean> {
    const answer = await this.#send('/invocations/cancel', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ idempotency_key }),
      dispatcher: this.#prompt,
    })
    if (answer.ok || answer.status === 404 || answer.status === 405) {
      await answer.body?.cancel()
      return answer.ok
    }
    throw await refusal(answer)
  }

  async getArtifact(digest: string): Promise<Uint8Array> {
    const answer = await this.#get(`/artifacts/${digest}`)
    return new Uint8Array(await readBytes(answer))
  }

  async getWorkspace(name: string) {
    return parse(hubWorkspaceSchema, await readJson(await this.#get(`/workspaces/${encodeURIComponent(name)}`)))
  }

  async listWorkspaces() {
    return parse(workspacePageSchema, await readJson(await this.#get('/workspaces')))
  }

  async findFeature(workspace: string, feature_id: FeatureId) {
    const answer = await this.#send(featurePath(workspace, feature_id), { dispatcher: this.#prompt })
    if (answer.ok) return parse(repositoryFeatureSchema, await readJson(answer))
    const refused = await refusal(answer)
    // A hub of another family knows no such route, and says so with the same status.
    if (answer.status === 404 && refused.code !== 'WORKSPACE_NOT_FOUND') return undefined
    throw refused
  }

  async push(workspace: string, feature_id: FeatureId, how: PushFeature) {
    const answer = await this.#send(`${featurePath(workspace, feature_id)}/push`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(how),
      dispatcher: this.#patient,
    })
    if (!answer.ok) throw await refusal(answer)
    return parse(pushedBranchSchema, await readJson(answer))
  }

  async getHealth() {
    return parse(hubHealthSchema, await readJson(await this.#get('/health')))
  }

  async listAgents() {
    return parse(hubAgentsSchema, await readJson(await this.#get('/agents')))
  }

  async close(): Promise<void> {
    await Promise.all([this.#patient.destroy(), this.#streaming.destroy(), this.#prompt.destroy()])
  }

  async #post(o: InvokeOptions): Promise<Response> {
    o.signal.throwIfAborted()
    this.#isAsync ??= await this.#learnWhetherAsync()
    o.signal.throwIfAborted()
    const late = new AbortController()
    const lateIn = (ms: number) => setTimeout(() => late.abort(), ms).unref()
    o.signal.addEventListener('abort', () => lateIn(ABORT_GRACE_MS), { once: true })
    const answer = await this.#send(`/invoke/${encodeURIComponent(o.agent)}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        prefer: 'respond-async',
        'idempotency-key': o.key,
        ...(o.traceparent !== undefined && { traceparent: o.traceparent }),
      },
      body: JSON.stringify(o.request),
      dispatcher: this.#isAsync === true ? this.#prompt : this.#patient,
      signal: late.signal,
    }).catch((error: unknown) => {
      // Another one may stand there by now.
      this.#isAsync = undefined
      throw error
    })
    if (!answer.ok) throw await refusal(answer)
    return answer
  }

  /** A hub with a list of agents is one that works asynchronously; those of the seed's family know neither. */
  async #learnWhetherAsync(): Promise<boolean | undefined> {
    const answer = await this.#send('/agents', { dispatcher: this.#prompt })
    await answer.body?.cancel()
    if (answer.ok) return true
    return answer.status === 404 || answer.status === 405 ? false : undefined
  }

  /** The finished invocation: by its event stream, resumed when it breaks, or by asking where the hub has none. */
  async #follow(id: string, o: InvokeOptions): Promise<Invocation> {
    let after = o.after
    for (;;) {
      for await (const event of this.#events(id, after, o.signal)) {
        if (event.type === 'invocation.finished') return event.data
        if (event.sequence <= after) continue
        after = event.sequence
        o.onUpdate(event.data, event.sequence)
      }
      o.signal.throwIfAborted()
      const invocation = await this.#getInvocation(id)
      if (invocation.response !== null || invocation.status === 'cancelled') return invocation
      await new Promise((resolve) => setTimeout(resolve, RESUME_MS))
    }
  }

  async *#events(id: string, after: number, signal: AbortSignal): AsyncGenerator<InvocationEvent> {
    const answer = await this.#send(`/invocations/${id}/events`, {
      headers: { accept: 'text/event-stream', ...(after > 0 && { 'last-event-id': String(after) }) },
      dispatcher: this.#streaming,
      signal,
    })
    if (answer.ok) return yield* parseEvents(answer)
    if (answer.status !== 404) throw await refusal(answer)
    await answer.body?.cancel()
  }

  async #getInvocation(id: string): Promise<Invocation> {
    return parse(invocationSchema, await readJson(await this.#get(`/invocations/${id}`)))
  }

  async #get(path: string): Promise<Response> {
    const answer = await this.#send(path, { dispatcher: this.#prompt })
    if (!answer.ok) throw await refusal(answer)
    return answer
  }

  async #send(
    path: string,
    { headers, ...init }: Omit<RequestInit, 'headers'> & { headers?: Record<string, string> },
  ): Promise<Response> {
    try {
      return await fetch(this.#url + path, {
        ...init,
        redirect: 'error',
        headers: { ...this.#headers, ...headers },
      })
    } catch (error) {
      throw new HubError(
        `The Agent Hub at ${this.#url} cannot be reached (${causeOf(error)}). Start it, or set AGENT_HUB_URL to where it runs.`,
        { transient: true, cause: error },
      )
    }
  }
}

const featurePath = (workspace: string, feature_id: FeatureId) =>
  `/workspaces/${encodeURIComponent(workspace)}/features/${encodeURIComponent(feature_id)}`

/** Ends when the stream ends or breaks: whoever reads it resumes. Throws a HubError for an event that makes no sense. */
async function* parseEvents(answer: Response): AsyncGenerator<InvocationEvent> {
  const received: EventSourceMessage[] = []
  const parser = createParser({ onEvent: (event) => received.push(event) })
  const decoder = new TextDecoder()
  try {
    for await (const chunk of answer.body ?? []) {
      parser.feed(decoder.decode(chunk, { stream: true }))
      for (const { event, data } of received.splice(0)) {
        if (event === 'agent.update' || event === 'invocation.finished')
          yield parse(invocationEventSchema, parseText(data))
      }
    }
  } catch (error) {
    if (error instanceof HubError) throw error
  }
}

function responseOf(invocation: Invocation): InvokeResponse {
  if (invocation.response !== null) return invocation.response
  throw new HubError('The invocation was cancelled at the Agent Hub. Retry the workflow to begin again.', {
    transient: false,
  })
}

/** Codes whose remedy is a person's, although their status would let one hope. */
const PERMANENT_CODES = new Set(['AGENT_UNAVAILABLE', 'AGENT_NOT_FOUND'])

/** From an answer that is not a 2xx, in our envelope or, as some hubs do, wrapped once more under `detail`. */
async function refusal(answer: Response): Promise<HubError> {
  const { status } = answer
  const body = refusalSchema.safeParse(await answer.json().catch(() => undefined)).data
  const error = body?.error ?? body?.detail?.error
  const said = error?.message ?? `it answered ${status}`
  if (status === 401 || status === 403) {
    return new HubError(`The Agent Hub refused us: ${said} Set AGENT_HUB_TOKEN to the same value for both.`, {
      transient: false,
    })
  }
  const transient =
    (status === 408 || status === 409 || status === 429 || status >= 500) && !PERMANENT_CODES.has(error?.code ?? '')
  const code = error?.code
  const wait = Number(answer.headers.get('retry-after'))
  return new HubError(`The Agent Hub refused the work: ${said}`, {
    transient,
    ...(code !== undefined && { code }),
    ...(wait > 0 && wait <= 3600 && { retry_after_ms: wait * 1000 }),
  })
}

const envelope = z.object({ code: z.string().optional(), message: z.string() })
const refusalSchema = z.object({
  error: envelope.optional().catch(undefined),
  detail: z.object({ error: envelope }).optional().catch(undefined),
})

function parse<T>(schema: z.ZodType<T>, value: unknown): T {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw new HubError(
    `The Agent Hub gave an answer that cannot be understood (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}).`,
    {
      transient: true,
      cause: parsed.error,
    },
  )
}

async function readJson(answer: Response): Promise<unknown> {
  return parseText(new TextDecoder().decode(await readBytes(answer)))
}

async function readBytes(answer: Response): Promise<ArrayBuffer> {
  try {
    return await answer.arrayBuffer()
  } catch (error) {
    throw new HubError(`The Agent Hub broke off in the middle of an answer (${causeOf(error)}).`, {
      transient: true,
      cause: error,
    })
  }
}

function parseText(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new HubError('The Agent Hub gave an answer that is not JSON.', { transient: true, cause: error })
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const cause = error.cause instanceof Error ? error.cause : error
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message
}
