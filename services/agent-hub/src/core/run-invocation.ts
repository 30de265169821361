import { ServiceError, type AgentUpdate } from '@orchestrator/contract'

import { collectArtifacts } from './artifacts.ts'
import { applyTicks } from './checklist-ticks.ts'
import { commitMessage } from './commit-message.ts'
import { runConvergence } from './convergence.ts'
import type { ConversationStore } from './conversation-store.ts'
import { cancelled, failed, succeeded, withCommit, type Finish } from './outcome.ts'
import { runStep } from './phase-step.ts'
import type { AgentDriver, AgentRegistry, OpenWorkingCopy, SpecKit, TurnLimits, Verifier, Workspaces } from './ports.ts'
import { findExposed, type Secrets } from './secrets.ts'
import type { InvocationRecord, InvocationStore, Prepared, SessionRecord } from './store.ts'
import { createTurns } from './turns.ts'
import { verify } from './verify.ts'

/** As much of a logger as the core needs; pino's fits. */
export interface Log {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export interface RunParts {
  store: InvocationStore
  conversations: ConversationStore
  workspaces: Workspaces
  spec_kit: SpecKit
  driver: AgentDriver
  registry: AgentRegistry
  /** Null where nobody named a command. */
  verifier: Verifier | null
  secrets: Secrets
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
  traceparent: string | undefined
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
    await applyTicks(working_copy, record.request.context.feedback?.ticks ?? [], parts.log)
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
  const run = createTurns(parts, {
    agent: record.agent,
    model: request.parameters.model,
    session,
    signal,
    timeout_seconds: request.parameters.timeout_seconds,
    traceparent: input.traceparent,
    about: { kind: 'invoke', topic: null, invocation_id: record.id },
    onUpdate: input.onUpdate,
    onProcess: async (process) => parts.store.recordProcess(record.id, process),
  })

  const is_converging = request.workflow_type === 'implement' && request.context.phase === 'phase_2'
  const step = await (is_converging ? runConvergence : runStep)({ parts, input, run, working_copy, request })
  if ('status' in step) return step
  const verified = request.workflow_type === 'implement' ? await verify(parts, input, working_copy) : undefined
  if (signal.aborted) return cancelled(session.id)

  const { changes } = step
  const [[exposed], feature_files] = await Promise.all([
    findExposed(parts.secrets, working_copy, changes),
    working_copy.listFeatureFiles(),
  ])
  if (exposed !== undefined) {
    await working_copy.reset()
    return failed(
      `Nothing was committed: ${exposed.path} holds the value of ${exposed.variables.join(', ')}, a secret of the hub that agent ${record.agent} was asked to take out. Give that agent another key if it may have spread, and try again.`,
      'agent',
      session.id,
    )
  }
  const collected = await collectArtifacts({ request, working_copy, changes, feature_files, text: step.outcome.text })
  const response = succeeded({
    request,
    outcome: step.outcome,
    usage: step.usage,
    changes,
    checks: [...step.checks, ...(verified?.checks ?? []), ...collected.checks],
    artifacts: collected.artifacts,
    data: { ...step.data, ...verified?.data },
    agent: record.agent,
    invocation_id: record.id,
    session_id: session.id,
    branch: record.feature_id,
    duration_ms: parts.now().getTime() - begun,
  })
  const prepared = { response, commit_message: commitMessage(record, response.result?.output ?? '') }
  await parts.store.prepareInvocation(record.id, prepared, collected.stored)
  return settle(parts, record, working_copy, prepared)
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
