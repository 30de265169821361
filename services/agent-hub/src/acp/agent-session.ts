import * as acp from '@agentclientprotocol/sdk'
import * as z from 'zod'

import type { AgentTurn } from '../core/ports.ts'
import { createTextTail, stripControls } from './bounded-text.ts'
import { buildEnvironment, clearTemporary, prepareHome } from './environment.ts'
import { createMessageStream, StreamError } from './message-stream.ts'
import { openModelGateway } from './model-gateway.ts'
import { startAgentProcess, type AgentChild } from './process-group.ts'
import { wrapInSandbox } from './sandbox.ts'
import type { TurnListener } from './turn-listener.ts'

/** Lines on stdout that are no ACP before an agent counts as broken: some log a line or two there. */
const MAX_NOISE_LINES = 50

/** An agent failed; `message` is a sentence for a person. */
export class AgentFailure extends Error {
  override readonly name = 'AgentFailure'
  readonly timeout: boolean

  constructor(message: string, timeout = false) {
    super(message)
    this.timeout = timeout
  }
}

/** A running agent with one ACP session, good for several turns one after the other. */
export interface AgentSession {
  readonly child: AgentChild
  readonly acp_session_id: string
  /** As the agent told it when the session began. */
  readonly model: string | null
  /** US dollars that the session had cost when the last turn ended: agents tell a running total. */
  spent_usd: number
  /** Rejects with AgentFailure as soon as the agent is gone or talks nonsense; never resolves. */
  readonly broken: Promise<never>
  /** Who hears the updates and permission requests of the turn that runs now. */
  listen(listener: TurnListener | undefined): void
  prompt(text: string): Promise<unknown>
  /** Asks the agent to stop the turn that runs. */
  cancel(): void
  end(grace_ms: number): Promise<void>
}

const initializeSchema = z.looseObject({
  protocolVersion: z.number(),
  agentCapabilities: z
    .looseObject({
      loadSession: z.boolean().nullish().catch(null),
      sessionCapabilities: z.looseObject({ resume: z.unknown() }).nullish().catch(null),
    })
    .nullish()
    .catch(null),
})

const sessionSchema = z.looseObject({
  sessionId: z.string().nullish(),
  models: z.looseObject({ currentModelId: z.string() }).nullish().catch(null),
  configOptions: z
    .array(z.looseObject({ category: z.string().nullish().catch(null), currentValue: z.unknown() }))
    .nullish()
    .catch(null),
})

/**
 * Starts the agent of a turn and opens its session: the one that `acp_session_id` names when the agent can go
 * on with it, else a new one. Rejects with AgentFailure or StartError, and leaves no process behind then.
 */
export async function openAgentSession(turn: AgentTurn, inherited: NodeJS.ProcessEnv): Promise<AgentSession> {
  await prepareHome(turn.home, turn.agent.home_files)
  const { home, working_copy } = turn
  const env = buildEnvironment({ inherited, home, profile_env: turn.agent.env, turn_env: turn.env })
  const endpoint = turn.agent.sandbox?.model
  const gateway = endpoint === undefined ? undefined : await openModelGateway(endpoint, inherited)
  let child: AgentChild
  try {
    const command = await wrapInSandbox(turn.agent, { home, working_copy, gateway })
    child = await startAgentProcess({ command, cwd: working_copy, env })
  } catch (error) {
    await gateway?.close()
    throw error
  }
  turn.onProcess(child.process)

  const noise = createTextTail(2_000)
  let noise_lines = 0
  const broken = Promise.withResolvers<never>()
  // Whoever waits for it sees the rejection; when nobody does, it is no news.
  broken.promise.catch(() => {})
  const stream = createMessageStream(child.stdin, child.stdout, (line) => {
    noise.append(`${line.slice(0, 500)}\n`)
    noise_lines += 1
    if (noise_lines === MAX_NOISE_LINES) {
      broken.reject(new AgentFailure(`does not speak ACP on its standard output. It wrote: ${quote(noise.text)}`))
    }
  })
  void child.exited.then((how) =>
    broken.reject(new AgentFailure(`ended by itself (${how})${lastWords(child.last_words, noise.text)}`)),
  )

  let listener: TurnListener | undefined
  const connection = acp
    .client({ name: 'orchestrator-agent-hub' })
    // Raw, and first: the handler then runs in the order of arrival, before anything is awaited.
    .onNotification(
      'session/update',
      (params) => params,
      ({ params }) => listener?.onUpdate(params),
    )
    .onRequest(
      'session/request_permission',
      (params) => params,
      async ({ params }) => (await listener?.onPermission(params)) ?? { outcome: { outcome: 'cancelled' } },
    )
    .connect(stream)
  void connection.closed.then(() => {
    // The pipe closes a moment before the process is reaped; its exit tells more.
    setTimeout(() => broken.reject(new AgentFailure('closed the connection in the middle of its work')), 1_000).unref()
  })

  const session = { child, broken: broken.promise }
  const ask = async (what: string, params: unknown, ms: number): Promise<unknown> =>
    await withClock(
      Promise.race([connection.agent.request(what, params), session.broken, aborted(turn.signal)]),
      ms,
      `did not answer ${what} within ${Math.round(ms / 100) / 10} s${lastWords(child.last_words, noise.text)}`,
    )
  const end = async (grace_ms: number): Promise<void> => {
    await child.end(grace_ms)
    connection.close()
    await gateway?.close()
    await clearTemporary(turn.home)
  }

  try {
    const opened = await openSession(turn, ask)
    return {
      ...session,
      ...opened,
      spent_usd: 0,
      listen(next) {
        listener = next
      },
      prompt: async (text) =>
        await connection.agent.request('session/prompt', {
          sessionId: opened.acp_session_id,
          prompt: [{ type: 'text', text }],
        }),
      cancel() {
        void connection.agent.notify('session/cancel', { sessionId: opened.acp_session_id }).catch(() => {})
      },
      end,
    }
  } catch (error) {
    const failure = await explain(error, session.broken)
    await end(0)
    throw failure
  }
}

type Ask = (what: string, params: unknown, ms: number) => Promise<unknown>

async function openSession(turn: AgentTurn, ask: Ask): Promise<{ acp_session_id: string; model: string | null }> {
  const { initialize_ms, session_ms } = turn.limits
  const initialized = initializeSchema.parse(
    await ask(
      'initialize',
      {
        protocolVersion: acp.PROTOCOL_VERSION,
        // Neither files nor terminals: the agent works in the working copy itself, behind its own walls.
        clientCapabilities: {},
        clientInfo: { name: 'orchestrator-agent-hub', version: '0.1.0' },
      },
      initialize_ms,
    ),
  )
  if (initialized.protocolVersion !== acp.PROTOCOL_VERSION) {
    throw new AgentFailure(
      `speaks ACP version ${initialized.protocolVersion}, but version ${acp.PROTOCOL_VERSION} is needed`,
    )
  }
  const place = { cwd: turn.working_copy, mcpServers: [] }
  const capabilities = initialized.agentCapabilities
  const again = capabilities?.sessionCapabilities?.resume
    ? 'session/resume'
    : capabilities?.loadSession === true
      ? 'session/load'
      : undefined

  let answer: z.infer<typeof sessionSchema> | undefined
  if (turn.acp_session_id !== null && again !== undefined) {
    try {
      // What a loaded session replays is heard by nobody: no listener is set yet.
      const continued = await ask(again, { ...place, sessionId: turn.acp_session_id }, session_ms)
      answer = { ...sessionSchema.parse(continued ?? {}), sessionId: turn.acp_session_id }
    } catch (error) {
      if (!(error instanceof acp.RequestError)) throw error
    }
  }
  if (turn.acp_session_id !== null && answer === undefined) {
    turn.onUpdate({
      kind: 'note',
      text: 'The agent could not go on with the earlier conversation and begins a new one.',
    })
  }
  answer ??= sessionSchema.parse(await ask('session/new', place, session_ms))
  if (answer.sessionId === undefined || answer.sessionId === null)
    throw new AgentFailure('opened a session without an id')
  if (turn.agent.mode !== null) {
    await ask('session/set_mode', { sessionId: answer.sessionId, modeId: turn.agent.mode }, session_ms)
  }
  const option = answer.configOptions?.find((candidate) => candidate.category === 'model')?.currentValue
  return {
    acp_session_id: answer.sessionId,
    model: typeof option === 'string' ? option : (answer.models?.currentModelId ?? null),
  }
}

/** Turns what went wrong into an AgentFailure; the end of the process explains a broken pipe better than the pipe. */
export async function explain(problem: unknown, broken: Promise<never>): Promise<Error> {
  if (problem instanceof AgentFailure || problem instanceof AbortedError) return problem
  if (problem instanceof acp.RequestError) return new AgentFailure(describeRpcError(problem))
  if (problem instanceof StreamError) return new AgentFailure(problem.message)
  if (problem instanceof z.ZodError) return new AgentFailure('sent an answer that is no ACP')
  const cause = await Promise.race([broken, delay(1_500)]).catch((reason: unknown) => reason)
  if (cause instanceof AgentFailure) return cause
  return new AgentFailure(`failed: ${problem instanceof Error ? problem.message : String(problem)}`)
}

const AUTH_REQUIRED = -32_000

function describeRpcError(error: acp.RequestError): string {
  const data = z.looseObject({ details: z.string() }).safeParse(error.data).data?.details
  const said = quote(data === undefined ? error.message : `${error.message}: ${data}`)
  return error.code === AUTH_REQUIRED
    ? `wants to be signed in: set the key of its model in the hub's environment. It said: ${said}`
    : `answered with an error: ${said}`
}

export class AbortedError extends Error {
  override readonly name = 'AbortedError'
}

async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_resolve, reject) => {
    const stop = (): void => reject(new AbortedError('The turn was cancelled'))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

/** Rejects with an AgentFailure by time-out when the work takes longer. */
async function withClock<T>(work: Promise<T>, ms: number, reason: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const clock = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new AgentFailure(reason, true)), ms)
  })
  try {
    return await Promise.race([work, clock])
  } finally {
    clearTimeout(timer)
  }
}

async function delay(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

function lastWords(stderr: string, noise: string): string {
  const said = quote(stderr === '' ? noise : stderr)
  return said === '' ? '' : `. Its last words: ${said}`
}

/** One line of at most 600 characters, from the end. */
function quote(text: string): string {
  const line = stripControls(text).replace(/\s+/g, ' ').trim()
  return line.length > 600 ? `… ${line.slice(-600)}` : line
}
