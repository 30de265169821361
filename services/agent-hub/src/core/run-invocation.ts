import { ServiceError, type AgentUpdate, type Check, type Usage } from '@orchestrator/contract'

import { collectArtifacts } from './artifacts.ts'
import { commitMessage } from './commit-message.ts'
import { addUsage, cancelled, didNothing, failed, succeeded, withCommit, type Finish } from './outcome.ts'
import type {
  AgentDriver,
  AgentRegistry,
  OpenWorkingCopy,
  SpecKit,
  TurnLimits,
  TurnOutcome,
  Workspaces,
} from './ports.ts'
import type { InvocationRecord, InvocationStore, Prepared, SessionRecord } from './store.ts'

/** As much of a logger as the core needs; pino's fits. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface RunParts {
  store: InvocationStore
  workspaces: Workspaces
  spec_kit: SpecKit
  driver: AgentDriver
  registry: AgentRegistry
  limits: TurnLimits
  /** Absolute path of a session's private HOME. */
  homeDirectory(session_id: string): string
  now(): Date
  log: Log
}

export interface RunInput {
  record: InvocationRecord
  session: SessionRecord
  signal: AbortSignal
  onUpdate: (update: AgentUpdate) => void
}

/** How often one invocation is begun: if the hub dies each time, the invocation may be why. */
export const RUNS_MAX = 10

/**
 * One invocation from a clean working copy to a commit. Whoever aborted the signal knows what a `cancelled` finish
 * means. Rejects only for faults of our own.
 */
export async function runInvocation(parts: RunParts, input: RunInput): Promise<Finish> {
  const { record, session } = input
  if (record.runs > RUNS_MAX) {
    return failed(
      `The hub ended ${RUNS_MAX} times while this ran; see its log before you try again.`,
      'interrupted',
      session.id,
    )
  }
  try {
    const working_copy = await parts.workspaces.open(record.workspace, record.feature_id)
    // Finished work of a run that was interrupted before its commit: the files lie there as they were judged.
    if (record.prepared !== null) return await settle(parts, record, working_copy, record.prepared)
    await working_copy.reset()
    return await work(parts, input, working_copy)
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    return failed(error.message, 'workspace', session.id)
  }
}

async function work(parts: RunParts, input: RunInput, working_copy: OpenWorkingCopy): Promise<Finish> {
  const { record, session, signal } = input
  const { request } = record
  const begun = parts.now().getTime()
  const run = createTurns(parts, input, working_copy)

  let outcome = await run(await parts.spec_kit.buildPrompt(request, working_copy))
  if (outcome.kind !== 'ended') return unfinished(outcome, session)
  let usage: Usage | null = outcome.usage
  let seen = await inspect(outcome.text)
  if (didNothing(request, seen.changes, outcome.text)) {
    return failed(
      `Agent ${record.agent} ended its turn without changing a file or giving a result, as agents do when their model refuses or cannot be reached. Look at what it said, check its account and settings, and try again.`,
      'agent',
      session.id,
    )
  }

  const wrong = seen.checks.filter((check) => check.level === 'error')
  if (wrong.length > 0) {
    input.onUpdate({ kind: 'note', text: `${wrong.length} checks failed: the agent is asked once to mend them.` })
    const repair = await run(parts.spec_kit.buildRepairPrompt(request, wrong))
    if (repair.kind === 'cancelled') return unfinished(repair, session)
    // What the first turn brought is still worth a look, whatever became of the second.
    if (repair.kind === 'failed') input.onUpdate({ kind: 'note', text: `Mending failed: ${repair.reason}` })
    if (repair.kind === 'ended') {
      usage = addUsage(usage, repair.usage)
      outcome = { ...repair, text: closingText(outcome.text, repair.text) }
    }
    seen = await inspect(outcome.text)
  }
  if (signal.aborted) return cancelled(session.id)

  const collected = await collectArtifacts({ request, working_copy, changes: seen.changes, text: outcome.text })
  const response = succeeded({
    request,
    outcome,
    usage,
    changes: seen.changes,
    checks: [...seen.checks, ...collected.checks],
    artifacts: collected.artifacts,
    agent: record.agent,
    invocation_id: record.id,
    session_id: session.id,
    branch: record.feature_id,
    duration_ms: parts.now().getTime() - begun,
  })
  const prepared = { response, commit_message: commitMessage(record, response.result?.output ?? '') }
  await parts.store.prepareInvocation(record.id, prepared, collected.stored)
  return settle(parts, record, working_copy, prepared)

  async function inspect(
    text: string,
  ): Promise<{ changes: Awaited<ReturnType<typeof working_copy.listChanges>>; checks: Check[] }> {
    const changes = await working_copy.listChanges()
    return { changes, checks: await parts.spec_kit.checkPhase({ request, working_copy, changes, text }) }
  }
}

/** Commits what was prepared. Safe to do twice. */
async function settle(
  parts: RunParts,
  record: InvocationRecord,
  working_copy: OpenWorkingCopy,
  prepared: Prepared,
): Promise<Finish> {
  const commit = await working_copy.commit(prepared.commit_message)
  const note = await working_copy.publish()
  if (note !== null) parts.log.warn({ invocation_id: record.id }, note)
  return { status: 'succeeded', response: withCommit(prepared.response, commit, note) }
}

function unfinished(outcome: Exclude<TurnOutcome, { kind: 'ended' }>, session: SessionRecord): Finish {
  if (outcome.kind === 'cancelled') return cancelled(session.id)
  return failed(outcome.reason, outcome.timeout ? 'timeout' : 'agent', session.id)
}

/** A repair turn may answer in a word; the result it does not repeat still stands. */
function closingText(first: string, repair: string): string {
  return repair.includes('```json') ? repair : `${repair}\n\n${first}`
}

/** Turns of one invocation share a session and a time limit. */
function createTurns(parts: RunParts, input: RunInput, working_copy: OpenWorkingCopy) {
  const { record, session, signal } = input
  const asked_seconds = record.request.parameters.timeout_seconds
  const limit_ms = asked_seconds === undefined ? parts.limits.turn_ms : asked_seconds * 1000
  const deadline = parts.now().getTime() + limit_ms
  const agent = parts.registry.getAgent(record.agent)
  let acp_session_id = session.acp_session_id

  return async (prompt: string): Promise<TurnOutcome> => {
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
