import type { TurnOutcome, WorkingCopy } from './ports.ts'
import type { RunInput, RunParts } from './run-invocation.ts'

/** Prompts the agent once more in the session of the invocation. */
export type RunTurn = (prompt: string) => Promise<TurnOutcome>

/** Turns of one invocation share a session and a time limit. */
export function createTurns(parts: RunParts, input: RunInput, working_copy: WorkingCopy): RunTurn {
  const { record, session, signal } = input
  const asked_seconds = record.request.parameters.timeout_seconds
  const limit_ms = asked_seconds === undefined ? parts.limits.turn_ms : asked_seconds * 1000
  const deadline = parts.now().getTime() + limit_ms
  const agent = parts.registry.getAgent(record.agent)
  let acp_session_id = session.acp_session_id

  return async (prompt) => {
    const outcome = await parts.driver.run({
      agent,
      session_id: session.id,
      acp_session_id,
      home: parts.homeDirectory(session.id),
      working_copy: working_copy.path,
      env: {
        SPECIFY_FEATURE: record.feature_id,
        SPECIFY_FEATURE_DIRECTORY: `${working_copy.path}/${working_copy.feature_directory}`,
        SPECIFY_INIT_DIR: working_copy.path,
        // The working copy has no `.git` of its own: the agent's git must not find a repository further up.
        GIT_CEILING_DIRECTORIES: working_copy.path.slice(0, working_copy.path.lastIndexOf('/')),
      },
      prompt,
      signal,
      limits: { ...parts.limits, turn_ms: Math.max(1, deadline - parts.now().getTime()) },
      onUpdate: input.onUpdate,
      onProcess: (process) => {
        parts.store.recordProcess(record.id, process).catch((error: unknown) => {
          parts.log.error({ err: error, invocation_id: record.id }, 'the agent’s process could not be recorded')
        })
      },
    })
    if (outcome.kind === 'ended') {
      acp_session_id = outcome.acp_session_id
      await parts.store.saveAcpSession(session.id, outcome.acp_session_id)
    }
    return outcome
  }
}
