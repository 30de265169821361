import type { IncomingMessage } from 'node:http'
import {
  exchangePageSchema,
  hubAgentsSchema,
  hubHealthSchema,
  hubWorkspaceSchema,
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

import { HubError, type AgentHub, type InvokeOptions } from '../core/agent-hub.ts'
import { Connections, type Question } from './connections.ts'
import { causeOf, isOk, readAs, readBytes, readEvents, refusal } from './hub-answers.ts'

export interface AgentHubClientOptions {
  /** `AGENT_HUB_URL`. */
  url: string
  /** `AGENT_HUB_TOKEN`; undefined sends none. */
  token: string | undefined
}

/** A stream without a sign of life for so long is taken for dead, and resumed. The hub sends heartbeats more often. */
const STREAM_SILENCE_MS = 12_000
/** An answer to a short question must come within this. */
const ANSWER_MS = 10_000
/** How long an invoke that is no longer wanted may still tell its id, so that the hub can be told to stop it. */
const ABORT_GRACE_MS = 2_000
/** Between a broken stream, or an answer "still running", and the next look. */
const RESUME_MS = 500

/**
 * The AgentHub port over HTTP: starts or attaches by key (`Prefer: respond-async`), follows the events,
 * and takes a plain answer from hubs that offer no more.
 */
export class AgentHubClient implements AgentHub {
  readonly #url: string
  readonly #headers: Record<string, string>
  readonly #connections: Connections
  /** Whether the hub takes work on at once and goes on by itself; undefined until it has told. */
  #isAsync: boolean | undefined

  constructor(o: AgentHubClientOptions) {
    this.#url = o.url.replace(/\/+$/, '')
    this.#headers = o.token === undefined ? {} : { authorization: `Bearer ${o.token}` }
    this.#connections = new Connections(this.#url)
  }

  async invoke(o: InvokeOptions): Promise<InvokeResponse> {
    const known = o.invocation_id === undefined ? undefined : await this.#follow(o.invocation_id, o)
    if (known !== undefined) return responseOf(known)
    const started = await this.#start(o)
    if (!('id' in started)) return started
    await o.onAccepted(started)
    o.signal.throwIfAborted()
    if (started.response !== null) return responseOf(started)
    const finished = await this.#follow(started.id, o)
    if (finished !== undefined) return responseOf(finished)
    throw new HubError('The Agent Hub forgot the work that it had taken on.', { transient: true })
  }

  async cancel(invocation_id: string): Promise<void> {
    const answer = await this.#send(`/invocations/${encodeURIComponent(invocation_id)}/cancel`, { method: 'POST' })
    // What the hub does not know, or cannot cancel, is not running there.
    if (isOk(answer) || isUnknown(answer)) answer.resume()
    else throw await refusal(answer)
  }

  async cancelByKey(idempotency_key: string): Promise<boolean> {
    const answer = await this.#send('/invocations/cancel', withJson({ idempotency_key }))
    if (!isOk(answer) && !isUnknown(answer)) throw await refusal(answer)
    answer.resume()
    return isOk(answer)
  }

  async getArtifact(digest: string): Promise<Uint8Array> {
    return readBytes(await this.#get(`/artifacts/${digest}`))
  }

  async getWorkspace(name: string) {
    return readAs(hubWorkspaceSchema, await this.#get(`/workspaces/${encodeURIComponent(name)}`))
  }

  async listWorkspaces() {
    const answer = await this.#send('/workspaces')
    if (isOk(answer)) return readAs(workspacePageSchema, answer)
    if (!isUnknown(answer)) throw await refusal(answer)
    // Another hub of the family has one, without a name.
    answer.resume()
    return { items: [], next_cursor: null }
  }

  async findFeature(workspace: string, feature_id: FeatureId) {
    const answer = await this.#send(featurePath(workspace, feature_id))
    if (isOk(answer)) return readAs(repositoryFeatureSchema, answer)
    const refused = await refusal(answer)
    // A hub of another family knows no such route, and says so with the same status.
    if (answer.statusCode === 404 && refused.code !== 'WORKSPACE_NOT_FOUND') return undefined
    throw refused
  }

  async push(workspace: string, feature_id: FeatureId, how: PushFeature) {
    const path = `${featurePath(workspace, feature_id)}/push`
    const answer = await this.#send(path, { ...withJson(how), silence_ms: undefined })
    if (!isOk(answer)) throw await refusal(answer)
    return readAs(pushedBranchSchema, answer)
  }

  async getHealth() {
    return readAs(hubHealthSchema, await this.#get('/health'))
  }

  async listAgents() {
    return readAs(hubAgentsSchema, await this.#get('/agents'))
  }

  async listExchanges(feature_id: FeatureId, { cursor, limit }: { cursor?: string | undefined; limit: number }) {
    const query = new URLSearchParams({ feature_id, limit: String(limit), ...(cursor !== undefined && { cursor }) })
    return readAs(exchangePageSchema, await this.#get(`/exchanges?${query}`))
  }

  async close(): Promise<void> {
    this.#connections.close()
  }

  /** What was taken on, or, from a hub that answers when the work is done, what came of it. */
  async #start(o: InvokeOptions): Promise<Invocation | InvokeResponse> {
    o.signal.throwIfAborted()
    this.#isAsync ??= await this.#learnWhetherAsync()
    o.signal.throwIfAborted()
    const late = new AbortController()
    const endLate = () => void setTimeout(() => late.abort(), ABORT_GRACE_MS).unref()
    o.signal.addEventListener('abort', endLate, { once: true })
    try {
      const answer = await this.#post(o, late.signal)
      this.#isAsync = answer.statusCode === 202
      return this.#isAsync ? await readAs(invocationSchema, answer) : await readAs(invokeResponseSchema, answer)
    } finally {
      // The phase goes on for long, and would hold on to all of this request.
      o.signal.removeEventListener('abort', endLate)
    }
  }

  async #post(o: InvokeOptions, signal: AbortSignal): Promise<IncomingMessage> {
    const question = withJson(o.request, {
      prefer: 'respond-async',
      'idempotency-key': o.key,
      ...(o.traceparent !== undefined && { traceparent: o.traceparent }),
    })
    const answer = await this.#send(`/invoke/${encodeURIComponent(o.agent)}`, {
      ...question,
      // A plain hub answers when the work is done, which may take hours.
      silence_ms: this.#isAsync === true ? ANSWER_MS : undefined,
      signal,
    }).catch((error: unknown) => {
      // Another one may stand there by now.
      this.#isAsync = undefined
      throw error
    })
    if (isOk(answer)) return answer
    // What is no hub told nothing of the one that is awaited there.
    const refused = await refusal(answer)
    if (refused.code === undefined) this.#isAsync = undefined
    throw refused
  }

  /** A hub with a list of agents is one that works asynchronously; those of the seed's family know neither. */
  async #learnWhetherAsync(): Promise<boolean | undefined> {
    const answer = await this.#send('/agents')
    answer.resume()
    if (isOk(answer)) return true
    return isUnknown(answer) ? false : undefined
  }

  /**
   * The finished invocation: by its event stream, resumed when it breaks, or by asking where the hub has none.
   * Undefined when the hub does not know it.
   */
  async #follow(id: string, o: InvokeOptions): Promise<Invocation | undefined> {
    let after = o.after
    for (;;) {
      for await (const event of this.#events(id, after, o.signal)) {
        if (event.type === 'invocation.finished') return event.data
        if (event.sequence <= after) continue
        after = event.sequence
        o.onUpdate(event.data, event.sequence)
      }
      o.signal.throwIfAborted()
      const invocation = await this.#findInvocation(id)
      if (invocation === undefined || invocation.response !== null || invocation.status === 'cancelled')
        return invocation
      await new Promise((resolve) => setTimeout(resolve, RESUME_MS))
    }
  }

  async *#events(id: string, after: number, signal: AbortSignal): AsyncGenerator<InvocationEvent> {
    const answer = await this.#send(`/invocations/${id}/events`, {
      headers: { accept: 'text/event-stream', ...(after > 0 && { 'last-event-id': String(after) }) },
      silence_ms: STREAM_SILENCE_MS,
      signal,
    })
    if (isOk(answer)) return yield* readEvents(answer)
    if (answer.statusCode !== 404) throw await refusal(answer)
    answer.resume()
  }

  async #findInvocation(id: string): Promise<Invocation | undefined> {
    const answer = await this.#send(`/invocations/${id}`)
    if (isOk(answer)) return readAs(invocationSchema, answer)
    if (answer.statusCode !== 404) throw await refusal(answer)
    answer.resume()
    return undefined
  }

  async #get(path: string): Promise<IncomingMessage> {
    const answer = await this.#send(path)
    if (!isOk(answer)) throw await refusal(answer)
    return answer
  }

  async #send(path: string, { headers, ...question }: Partial<Question> = {}): Promise<IncomingMessage> {
    try {
      const all = { ...this.#headers, ...headers }
      return await this.#connections.ask(path, { silence_ms: ANSWER_MS, ...question, headers: all })
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

function withJson(body: object, headers?: Record<string, string>) {
  return {
    method: 'POST' as const,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  }
}

/** No such thing there, or no such route. */
function isUnknown({ statusCode }: IncomingMessage): boolean {
  return statusCode === 404 || statusCode === 405
}

function responseOf(invocation: Invocation): InvokeResponse {
  if (invocation.response !== null) return invocation.response
  throw new HubError('The work was cancelled at the Agent Hub, and not by this service.', { transient: false })
}
