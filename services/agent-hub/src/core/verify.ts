import type { Check, JsonObject } from '@orchestrator/contract'

import { warning } from './outcome.ts'
import type { AgentProcess, OpenWorkingCopy, Verification } from './ports.ts'
import type { RunInput, RunParts } from './run-invocation.ts'

const ID = 'verify-command'

/** Lines of the output that a check row shows; `data.verify` has more. */
const SHOWN_CHARACTERS = 600

/**
 * Runs the repository's verify command over what the agent left: evidence that does not come from the agent. What the
 * command itself writes is put back, so that the commit holds the agent's work and nothing else. Undefined where
 * there is no such command.
 */
export async function verify(
  parts: RunParts,
  input: RunInput,
  working_copy: OpenWorkingCopy,
): Promise<{ checks: Check[]; data: JsonObject } | undefined> {
  const { verifier, conversations, log } = parts
  if (verifier === null || input.signal.aborted) return undefined
  const { command } = verifier
  input.onUpdate({ kind: 'note', text: `The verify command runs: ${command}` })
  // The command, and what is put back after it, are for these files alone.
  await working_copy.alone()
  const before = await working_copy.snapshot()
  // With the session, for with the invocation stands the agent.
  const record = (verifying: AgentProcess | null) =>
    conversations.recordSessionProcess(input.session.id, verifying).catch((error: unknown) => {
      log.error({ err: error, invocation_id: input.record.id }, 'the verify command’s process could not be recorded')
    })
  const verification = await verifier.run({
    working_copy: working_copy.path,
    signal: input.signal,
    onProcess: (verifying) => void record(verifying),
  })
  await record(null)
  await working_copy.restore(before)
  if (verification.kind === 'not_run') {
    const { reason } = verification
    return { checks: [warning(ID, `The verify command was not run: ${reason}`)], data: { verify: { command, reason } } }
  }
  const { exit_code, timed_out, duration_ms, tail } = verification
  return {
    checks: [judge(command, verification)],
    data: { verify: { command, exit_code, timed_out, duration_ms, tail } },
  }
}

function judge(command: string, o: Extract<Verification, { kind: 'ran' }>): Check {
  const time = `${Math.round(o.duration_ms / 100) / 10} s`
  if (o.exit_code === 0) {
    return { id: ID, level: 'pass', message: `${command}: exit code 0 after ${time}.`, path: null, line: null }
  }
  const end = o.timed_out
    ? `ended by its time limit after ${time}`
    : `exit code ${o.exit_code ?? 'unknown'} after ${time}`
  const said = o.tail === '' ? '' : ` Its last words: ${o.tail.slice(-SHOWN_CHARACTERS)}`
  return warning(ID, `${command}: ${end}.${said}`)
}
