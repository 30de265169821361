import type { AgentUpdate, Exchange, Usage } from '@orchestrator/contract'

import { digestBytes } from './digest.ts'
import { addUsage } from './outcome.ts'
import type { AgentProcess, TurnOutcome, TurnTraffic, WorkingCopy } from './ports.ts'
import type { RunParts } from './run-invocation.ts'
import type { SessionRecord } from './store.ts'

/** Prompts the agent once more in its session. */
export type RunTurn = (working_copy: WorkingCopy, prompt: string) => Promise<TurnOutcome>

export interface Turns {
  run: RunTurn
  /** Resolves when all turns so far are on record. */
  recorded(): Promise<void>
  /** Of all turns so far, however they ended. */
  readonly usage: Usage | null
}

export interface TurnsInput {
  agent: string
  /** Undefined: the agent's default. */
  model: string | undefined
  session: SessionRecord
  signal: AbortSignal
  /** Of all turns together; undefined: the hub's own limit. */
  timeout_seconds: number | undefined
  traceparent: string | undefined
  /** For the audit log. */
  about: Pick<Exchange, 'kind' | 'topic' | 'invocation_id'>
  onUpdate: (update: AgentUpdate) => void
  /** The session's agent where it is on record already. */
  recorded_process?: AgentProcess | undefined
  /** Puts another one on record. */
  recordProcess: (agent_process: AgentProcess) => Promise<void>
}

/**
 * Turns of one invocation, or one question, share a session and a time limit. Each is on record, however it ended: what
 * it brought may be looked at meanwhile, and is settled only then.
 */
export function createTurns(parts: RunParts, o: TurnsInput): Turns {
  const { session } = o
  const limit_ms = o.timeout_seconds === undefined ? parts.limits.turn_ms : o.timeout_seconds * 1000
  const deadline = parts.now().getTime() + limit_ms
  const agent = parts.registry.getAgent(o.agent, o.model)
  let acp_session_id = session.acp_session_id
  let { recorded_process } = o
  let recording: Promise<unknown> = Promise.resolve()
  let usage: Usage | null = null

  const run: RunTurn = async (working_copy, prompt) => {
    const begun = parts.now()
    let traffic: TurnTraffic = { model_requests: 0, model_refusals: 0, network_refusals: 0 }
    const outcome = await parts.driver.run({
      agent,
      session_id: session.id,
      acp_session_id,
      home: parts.homeDirectory(session.id),
      working_copy: working_copy.path,
      env: {
        SPECIFY_FEATURE: session.feature_id,
        SPECIFY_FEATURE_DIRECTORY: `${working_copy.path}/${working_copy.feature_directory}`,
        SPECIFY_INIT_DIR: working_copy.path,
        // The working copy has no `.git` of its own: the agent's git must not find a repository further up.
        GIT_CEILING_DIRECTORIES: working_copy.path.slice(0, working_copy.path.lastIndexOf('/')),
      },
      prompt,
      traceparent: o.traceparent,
      signal: o.signal,
      limits: { ...parts.limits, turn_ms: Math.max(1, deadline - parts.now().getTime()) },
      onUpdate: o.onUpdate,
      onTraffic: (told) => (traffic = told),
      onProcess: (agent_process) => {
        if (agent_process.started === recorded_process?.started) return
        recorded_process = agent_process
        o.recordProcess(agent_process).catch((error: unknown) => {
          parts.log.error({ err: error, session_id: session.id }, 'the agent’s process could not be recorded')
        })
      },
    })
    usage = addUsage(usage, outcome.usage)
    const recorded = parts.conversations.recordExchange({
      ...o.about,
      id: crypto.randomUUID(),
      feature_id: session.feature_id,
      workspace: session.workspace,
      agent: agent.name,
      session_id: session.id,
      prompt_digest: digestBytes(prompt),
      answer_digest: outcome.kind === 'ended' ? digestBytes(outcome.text) : null,
      outcome: outcome.kind,
      ...traffic,
      started_at: begun.toISOString(),
      duration_ms: Math.max(0, parts.now().getTime() - begun.getTime()),
    })
    recording = Promise.all([recording, recorded])
    recording.catch(() => {})
    if (outcome.kind === 'ended' && outcome.acp_session_id !== acp_session_id) {
      acp_session_id = outcome.acp_session_id
      await parts.store.saveAcpSession(session.id, outcome.acp_session_id)
    }
    return outcome
  }
  return {
    run,
    async recorded() {
      await recording
    },
    get usage() {
      return usage
    },
  }
}
