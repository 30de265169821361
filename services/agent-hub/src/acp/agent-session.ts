import * as acp from '@agentclientprotocol/sdk'

import type { AgentResult, AgentTurn } from '../core/ports.ts'
import { aborted, AgentFailure, explain, lastWords, quote } from './agent-failure.ts'
import { createTextTail } from './bounded-text.ts'
import { waitAtMost, withClock } from './clocks.ts'
import { buildEnvironment, clearTemporary, prepareHome } from './environment.ts'
import { createMessageStream } from './message-stream.ts'
import { openModelGateway } from './model-gateway.ts'
import { countUnroutable, openNetworkWatch } from './network-watch.ts'
import { openSession, type Ask, type OpenedSession } from './open-session.ts'
import { startAgentProcess, type AgentChild } from './process-group.ts'
import { wrapInSandbox } from './sandbox.ts'
import { openToolEndpoint, type ToolEndpoint } from './tool-endpoint.ts'
import type { TurnListener } from './turn-listener.ts'

/** Lines on stdout that are no ACP before an agent counts as broken: some log a line or two there. */
const MAX_NOISE_LINES = 50

/** How long an agent that has opened its session may take to look for the hub's tools, before it is prompted all the same. */
const TOOLS_MS = 3_000

/** A running agent with one ACP session, good for several turns one after the other. */
export interface AgentSession extends Readonly<OpenedSession> {
  readonly child: AgentChild
  /** US dollars that the session had cost when the last turn ended: agents tell a running total. */
  spent_usd: number
  /** Rejects with AgentFailure as soon as the agent is gone or talks nonsense; never resolves. */
  readonly broken: Promise<never>
  /** How many attempts to reach an address without a route there were since the last call; 0 for an agent with a network. */
  takeUnroutable(): Promise<number>
  /** Who hears the updates and permission requests of the turn that runs now. */
  listen(listener: TurnListener | undefined): void
  /** `traceparent` goes along as ACP reserves it in `_meta`. */
  prompt(text: string, traceparent: string | undefined): Promise<unknown>
  /** Asks the agent to stop the turn that runs. */
  cancel(): void
  end(grace_ms: number): Promise<void>
}

/**
 * Starts the agent of a turn and opens its session: the one that `acp_session_id` names when the agent can go
 * on with it, else a new one. Rejects with AgentFailure or StartError, and leaves no process behind then.
 */
export async function openAgentSession(turn: AgentTurn, inherited: NodeJS.ProcessEnv): Promise<AgentSession> {
  await prepareHome(turn.home, turn.agent.home_files)
  const { home, working_copy } = turn
  const env = buildEnvironment({ inherited, home, profile_env: turn.agent.env, turn_env: turn.env })
  const walled = turn.agent.sandbox?.network === 'none'
  const endpoint = turn.agent.sandbox?.model
  let listener: TurnListener | undefined
  const endpoints = new AsyncDisposableStack()
  const keep = <E extends { close(): Promise<void> }>(opened: E): E =>
    endpoints.adopt(opened, async () => opened.close())
  let tools: ToolEndpoint | undefined
  let child: AgentChild
  try {
    const gateway =
      endpoint === undefined
        ? undefined
        : keep(await openModelGateway(endpoint, inherited, (answer) => listener?.onModelAnswer(answer)))
    const watch = walled ? keep(await openNetworkWatch((address) => listener?.onUnreachable(address))) : undefined
    if (turn.agent.mcp_transport !== null)
      tools = keep(await openToolEndpoint({ walled, deliver: (result) => deliver(listener, result) }))
    const doors = [gateway?.door, watch?.door, tools?.door].filter((door) => door !== undefined)
    const command = await wrapInSandbox(turn.agent, { home, working_copy, doors })
    child = await startAgentProcess({ command, cwd: working_copy, env })
  } catch (error) {
    await endpoints.disposeAsync()
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
  const ask: Ask = async (what, params, ms) =>
    await withClock(
      Promise.race([connection.agent.request(what, params), session.broken, aborted(turn.signal)]),
      ms,
      () => `did not answer ${what} within ${Math.round(ms / 100) / 10} s${lastWords(child.last_words, noise.text)}`,
    )
  const end = async (grace_ms: number): Promise<void> => {
    await child.end(grace_ms)
    connection.close()
    await endpoints.disposeAsync()
    await clearTemporary(turn.home)
  }

  let told = 0
  const takeUnroutable = async (): Promise<number> => {
    if (!walled) return 0
    const counted = Math.max(told, await countUnroutable(child.process.pid))
    const since = counted - told
    told = counted
    return since
  }

  try {
    const opened = await openSession(turn, ask, tools === undefined ? [] : [tools.server])
    // Some open the session first and look for tools in the background: a prompt that comes before would go without.
    if (tools !== undefined)
      await waitAtMost(Promise.race([tools.listed, session.broken, aborted(turn.signal)]), TOOLS_MS)
    return {
      ...session,
      ...opened,
      spent_usd: 0,
      takeUnroutable,
      listen(next) {
        listener = next
      },
      prompt: async (text, traceparent) =>
        await connection.agent.request('session/prompt', {
          sessionId: opened.acp_session_id,
          prompt: [{ type: 'text', text }],
          ...(traceparent !== undefined && { _meta: { traceparent } }),
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

/** Whether somebody took it: between two turns nobody does. */
function deliver(listener: TurnListener | undefined, result: AgentResult): boolean {
  listener?.onResult(result)
  return listener !== undefined
}
