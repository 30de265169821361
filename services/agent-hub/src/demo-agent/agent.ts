import {
  agent,
  methods,
  PROTOCOL_VERSION,
  RequestError,
  type AgentApp,
  type ContentBlock,
} from '@agentclientprotocol/sdk'
import { randomUUID } from 'node:crypto'
import { isAbsolute } from 'node:path'

import { runTurn, type TurnSettings } from './turn.ts'

interface Session {
  cwd: string
  turn: AbortController | null
}

/**
 * The demo agent as an ACP agent (protocol version 1). It keeps nothing of a session but its
 * folder: what it has to remember is in the files, so that any session can be resumed by anybody.
 */
export function createDemoAgent(settings: TurnSettings & { version: string }): AgentApp {
  const sessions = new Map<string, Session>()

  function open(session_id: string, cwd: string): void {
    if (!isAbsolute(cwd)) throw RequestError.invalidParams({ cwd }, 'cwd must be an absolute path')
    sessions.set(session_id, { cwd, turn: null })
  }

  function getSession(session_id: string): Session {
    const session = sessions.get(session_id)
    if (session === undefined)
      throw RequestError.invalidParams({ session_id }, 'there is no such session; begin or resume one first')
    return session
  }

  return agent({ name: 'demo-agent' })
    .onRequest(methods.agent.initialize, () => ({
      protocolVersion: PROTOCOL_VERSION,
      agentInfo: { name: 'demo-agent', title: 'Offline demo agent', version: settings.version },
      agentCapabilities: { sessionCapabilities: { resume: {}, close: {} } },
      authMethods: [],
    }))
    .onRequest(methods.agent.session.new, ({ params }) => {
      const sessionId = randomUUID()
      open(sessionId, params.cwd)
      return { sessionId }
    })
    .onRequest(methods.agent.session.resume, ({ params }) => {
      open(params.sessionId, params.cwd)
      return {}
    })
    .onRequest(methods.agent.session.close, ({ params }) => {
      sessions.get(params.sessionId)?.turn?.abort()
      sessions.delete(params.sessionId)
    })
    .onRequest(methods.agent.session.prompt, async ({ params, client, signal }) => {
      const session = getSession(params.sessionId)
      if (session.turn !== null) throw RequestError.invalidRequest({}, 'a turn is already running in this session')
      const turn = new AbortController()
      session.turn = turn
      try {
        const ended = AbortSignal.any([turn.signal, signal])
        await runTurn({
          client,
          session_id: params.sessionId,
          cwd: session.cwd,
          prompt: textOf(params.prompt),
          signal: ended,
          settings,
        })
        return { stopReason: 'end_turn' }
      } catch (error) {
        if (turn.signal.aborted) return { stopReason: 'cancelled' }
        throw error
      } finally {
        session.turn = null
      }
    })
    .onNotification(methods.agent.session.cancel, ({ params }) => sessions.get(params.sessionId)?.turn?.abort())
}

const textOf = (blocks: readonly ContentBlock[]): string =>
  blocks.map((block) => (block.type === 'text' ? block.text : '')).join('\n')
