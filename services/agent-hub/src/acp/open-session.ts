import * as acp from '@agentclientprotocol/sdk'
import * as z from 'zod'

import type { AgentTurn } from '../core/ports.ts'
import { AgentFailure } from './agent-failure.ts'

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

/** Sends one request and waits for the answer, at most `ms`. Rejects with what went wrong. */
export type Ask = (what: string, params: unknown, ms: number) => Promise<unknown>

/** As ACP words it. https://agentclientprotocol.com/protocol/session-setup#mcp-servers */
export interface McpServer {
  type: 'http'
  name: string
  url: string
  headers: readonly { name: string; value: string }[]
}

/** The agent's session once it is open. */
export interface OpenedSession {
  acp_session_id: string
  /** As the agent told it; null when it did not. */
  model: string | null
}

/**
 * Introduces the hub, and opens the session that `acp_session_id` names, when the agent can go on with it, else a
 * new one. https://agentclientprotocol.com/protocol/session-setup
 */
export async function openSession(
  turn: AgentTurn,
  ask: Ask,
  mcp_servers: readonly McpServer[],
): Promise<OpenedSession> {
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
  const place = { cwd: turn.working_copy, mcpServers: mcp_servers }
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
