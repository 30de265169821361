import { ServiceError, type AgentUpdate } from '@orchestrator/contract'

import { collectArtifacts } from './artifacts.ts'
import { compareWithCommit, type Compared } from './as-committed.ts'
import { applyTicks } from './checklist-ticks.ts'
import { commitMessage } from './commit-message.ts'
import { runConvergence } from './convergence.ts'
import type { ConversationStore } from './conversation-store.ts'
import { cancelled, failed, succeeded, withCommit, withUsage, type Finish } from './outcome.ts'
import { runStep } from './phase-step.ts'
import type {
  AgentDriver,
  AgentProcess,
  AgentRegistry,
  Look,
  OpenWorkingCopy,
  SpecKit,
  TurnLimits,
  Verifier,
  Workspaces,
} from './ports.ts'
import { retryUntilDone } from './retry.ts'
import { findExposed, type Exposed, type Secrets } from './secrets.ts'
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
  /** Its agent, where that is alive: it is on record with the invocation. */
  recorded_process: AgentProcess | undefined
  /** As `openWorkingCopy` opens it; undefined when the work was begun too often. */
  working_copy: Promise<OpenWorkingCopy> | undefined
  signal: AbortSignal
  traceparent: string | undefined
  onUpdate: (update: AgentUpdate) => void
  /** Resolves when all updates so far are kept. */
  flushUpdates(): Promise<void>
  /** Aborted when the hub stops: what is left then is for its next start. */
  closing: AbortSignal
}

/** How often one invocation is begun: if the hub dies each time, the invocation may be why. */
export const RUNS_MAX = 10

const GONE =
  'Nothing was committed: what the agent had written was gone again, or was taken back because it held a secret of the hub. See the log of the hub, then try again.'

/**
 * At the last commit of the feature; where finished work lies that was not committed, as it was judged. No file changes
 * before it is `agreed` that this work begins.
 */
export async function openWorkingCopy(
  { workspaces }: Pick<RunParts, 'workspaces'>,
  { workspace, feature_id, prepared }: Pick<InvocationRecord, 'workspace' | 'feature_id' | 'prepared'>,
  agreed?: Promise<unknown>,
): Promise<OpenWorkingCopy> {
  const working_copy = await workspaces.open(workspace, feature_id)
  if (prepared === null) await working_copy.reset(agreed)
  return working_copy
}

/**
 * One invocation from a clean working copy to a commit. Whoever aborted the signal knows what a `cancelled` finish
 * means. Rejects only for faults of our own.
 */
export async function runInvocation(parts: RunParts, input: RunInput): Promise<Finish> {
  const { record, session } = input
  if (input.working_copy === undefined) {
    return failed(
      `The hub ended ${RUNS_MAX} times while this ran; see its log before you try again.`,
      'interrupted',
      session.id,
    )
  }
  try {
    const working_copy = await input.working_copy
    if (record.prepared !== null) return await settle(parts, input, working_copy, Promise.resolve(record.prepared))
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
  const turns = createTurns(parts, {
    agent: record.agent,
    model: request.parameters.model,
    session,
    signal,
    timeout_seconds: request.parameters.timeout_seconds,
    traceparent: input.traceparent,
    about: { kind: 'invoke', topic: null, invocation_id: record.id },
    onUpdate: input.onUpdate,
    recorded_process: input.recorded_process,
    recordProcess: async (agent_process) => parts.store.recordProcess(record.id, agent_process),
  })
  const is_converging = request.workflow_type === 'implement' && request.context.phase === 'phase_2'
  const carryOut = is_converging ? runConvergence : runStep
  const carrying_out = carryOut({ parts, input, run: turns.run, working_copy, request })
  working_copy.lookAhead()
  const step = await carrying_out
  await turns.recorded()
  if ('status' in step) return withUsage(step, turns.usage)
  const verified = request.workflow_type === 'implement' ? await verify(parts, input, working_copy) : undefined
  if (signal.aborted) return withUsage(cancelled(session.id), turns.usage)

  const [exposed] = await findExposed(parts.secrets, working_copy, step.look.changes)
  if (exposed !== undefined) {
    await working_copy.reset()
    return withUsage(exposedSecret(exposed, record, session.id), turns.usage)
  }
  const { look, outcome } = step
  const prepare = async (): Promise<Prepared> => {
    const collected = await collectArtifacts({ request, working_copy, look, text: outcome.text })
    const response = succeeded({
      request,
      outcome,
      usage: turns.usage,
      changes: look.changes,
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
    await Promise.all([parts.store.prepareInvocation(record.id, prepared, collected.stored), input.flushUpdates()])
    return prepared
  }
  return settle(parts, input, working_copy, prepare(), look.changes)
}

function exposedSecret({ path, variables }: Exposed, { agent }: InvocationRecord, session_id: string | null): Finish {
  const reason = `Nothing was committed: ${path} holds the value of ${variables.join(', ')}, a secret of the hub that agent ${agent} was asked to take out. Give that agent another key if it may have spread, and try again.`
  return failed(reason, 'agent', session_id)
}

/** Commits what was prepared, or is being prepared, and prepares anew what came otherwise. Safe to do twice. */
async function settle(
  parts: RunParts,
  { record, closing }: RunInput,
  working_copy: OpenWorkingCopy,
  preparing: Promise<Prepared>,
  known?: Look['changes'],
): Promise<Finish> {
  const message = preparing.then(({ commit_message }) => commit_message)
  const committing = working_copy.commit(message, known)
  const comparing = Promise.all([committing, preparing]).then(async ([commit, prepared]) => {
    const made = working_copy.asCommitted(commit)
    const compared = await compareWithCommit({ secrets: parts.secrets, request: record.request, made, prepared })
    if (compared.kind === 'different') {
      await parts.store.prepareInvocation(record.id, compared.prepared, compared.stored)
    }
    return compared
  })
  // Not before: git has the message first then. What must not go out waits for the comparison, and goes with it.
  const publishing = message.then(async () => working_copy.publish(outgoing(committing, comparing)))
  comparing.catch(() => {})
  publishing.catch(() => {})
  // First of all, for it ends only when git has let go of the files, whatever came of it.
  const commit = await committing
  const takeBack = async () => {
    await publishing.catch(() => {})
    await discardUntilDone(working_copy, commit, { log: parts.log, invocation_id: record.id, closing })
  }
  const compared = await comparing.catch(async (error: unknown) => {
    await takeBack()
    throw error
  })
  const { session_id = null, usage = null } = (await preparing).response.result?.data ?? {}
  if (compared.kind === 'exposed') {
    await takeBack()
    return withUsage(exposedSecret(compared.exposed, record, session_id), usage)
  }
  if (compared.kind === 'gone') return withUsage(failed(GONE, 'agent', session_id), usage)
  const note = await publishing
  const { response } = compared.kind === 'different' ? compared.prepared : await preparing
  if (note !== null) parts.log.warn({ invocation_id: record.id }, note)
  return { status: 'succeeded', response: withCommit(response, commit, note) }
}

/**
 * A commit that nobody has compared, or that holds a secret, would go out beneath the next one. Its lane stays taken
 * until it is taken back; a closing hub leaves it to the next start, which compares it again.
 */
async function discardUntilDone(
  working_copy: OpenWorkingCopy,
  commit: string | null,
  { log, invocation_id, closing }: { log: Log; invocation_id: string; closing: AbortSignal },
): Promise<void> {
  const discard = async () => {
    closing.throwIfAborted()
    await working_copy.discard(commit)
  }
  await retryUntilDone(discard, {
    closing,
    onFirstFailure: (error) =>
      log.error({ err: error, invocation_id }, 'a commit could not be taken back; it is tried again'),
  })
}

async function outgoing(committing: Promise<string | null>, comparing: Promise<Compared>): Promise<string | null> {
  const { kind } = await comparing
  if (kind === 'exposed' || kind === 'gone') throw new Error('There is nothing that may go out.')
  return committing
}
