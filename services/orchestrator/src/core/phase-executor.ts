import type { AgentUpdate, AttemptId, InvokeRequest, InvokeResponse, WorkflowType } from '@orchestrator/contract'

import type { AttemptLifecycle } from './attempt-lifecycle.ts'
import { backoffDelay, type BackoffPolicy } from './backoff.ts'
import { commandOf } from './definitions.ts'
import { outcomeOfInvocation, sha256 } from './outcome.ts'
import { HubError, type AgentHub } from './agent-hub.ts'
import type { AttemptWork, Claim, Clock, PhaseWatch, Telemetry, WorkflowStore } from './ports.ts'
import * as sentences from './sentences.ts'
import { createUpdateRecorder } from './update-recorder.ts'

export interface PhaseExecutorOptions {
  store: WorkflowStore
  attempts: AttemptLifecycle
  hub: Pick<AgentHub, 'invoke' | 'getArtifact'>
  clock: Clock
  /** In [0, 1); for the jitter. */
  random: () => number
  telemetry: Telemetry
  /** Why an attempt may not begin yet. */
  findHold(attempt_id: AttemptId): Promise<string | undefined>
  backoff: BackoffPolicy
  phase_timeout_seconds: number
  /** The agent of a type when the workflow names none. */
  agentFor(type: WorkflowType): string
  /** Undefined leaves it to the agent. */
  modelFor(type: WorkflowType): string | undefined
}

/** What one call of the hub came to. */
type Answer =
  /** By the agent's real name, which the hub tells when it was asked for its default. */
  | { kind: 'answered'; response: InvokeResponse; agent: string }
  | { kind: 'transient'; reason: string; retry_after_ms: number | undefined }
  | { kind: 'permanent'; reason: string }
  | { kind: 'unwanted' }
  | { kind: 'too_long' }

/** Made once: an abort without a reason makes an exception with a stack, for every phase. */
const ENDED = new Error('The run has ended.')

/** Runs one attempt to its end through the hub: start or attach, follow, settle; try again where that may help. */
export class PhaseExecutor {
  readonly #o: PhaseExecutorOptions

  constructor(o: PhaseExecutorOptions) {
    this.#o = o
  }

  /** Returns early, leaving the attempt as it is, when the claim is aborted: a restart takes it up again. */
  async run(claim: Claim): Promise<void> {
    const { phase_timeout_seconds, clock } = this.#o
    // Aborted with the claim, or when the time is up: one signal for both, since thousands may be at work.
    const stop = new AbortController()
    const end = () => stop.abort(ENDED)
    claim.signal.addEventListener('abort', end, { once: true })
    if (claim.signal.aborted) end()
    // Since it was handed out, and not since `started_at`: that tells by the wall clock, which may have jumped, and for
    // how long nobody ran it meanwhile. A stop over night, or a row that was corrected days later, would fail it.
    void clock.sleep(phase_timeout_seconds * 1000, stop.signal).then(end, () => {})
    try {
      await this.#runUntil(claim, stop.signal)
    } finally {
      claim.signal.removeEventListener('abort', end)
      end()
    }
  }

  async #runUntil(claim: Claim, stop: AbortSignal): Promise<void> {
    const hold = await this.#o.findHold(claim.attempt_id)
    if (hold !== undefined) return this.#o.attempts.hold(claim.attempt_id, hold)
    const first = await this.#o.attempts.begin(claim.attempt_id)
    if (first === undefined) return
    const watch = this.#o.telemetry.beginPhase(first)
    let answer: Answer = { kind: 'unwanted' }
    try {
      answer = await this.#tryUntilSettled(claim, first, stop, watch)
    } finally {
      const agent = answer.kind === 'answered' ? answer.agent : this.#agentOf(first)
      watch.ended(howItEnded(answer), agent)
    }
  }

  #agentOf({ agent, workflow }: AttemptWork): string {
    return agent ?? workflow.agent ?? this.#o.agentFor(workflow.workflow_type)
  }

  /** Answers the last of what the hub said. */
  async #tryUntilSettled(claim: Claim, first: AttemptWork, stop: AbortSignal, watch: PhaseWatch): Promise<Answer> {
    const { attempts, clock, backoff, random } = this.#o
    for (let failures = 1; ; failures++) {
      const work = failures === 1 ? first : await attempts.begin(claim.attempt_id)
      if (work === undefined) return { kind: 'unwanted' }
      const answer = await this.#ask(work, claim.signal, stop, watch)
      if (answer.kind === 'unwanted') return answer
      if (answer.kind !== 'transient' || failures >= backoff.max_tries) {
        await this.#settle(claim, work, answer, failures)
        return answer
      }
      const delay = answer.retry_after_ms ?? backoffDelay(failures, backoff, random())
      const next_retry_at = new Date(clock.now().getTime() + delay).toISOString()
      if (!(await attempts.backOff(work, answer.reason, next_retry_at))) return { kind: 'unwanted' }
      const waited = await clock.sleep(delay, stop).then(
        () => true,
        () => false,
      )
      if (claim.signal.aborted) return { kind: 'unwanted' }
      if (!waited) {
        await this.#settle(claim, work, { kind: 'too_long' }, failures)
        return { kind: 'too_long' }
      }
    }
  }

  /** One call of the hub, and its files copied here, so that a review needs no hub. */
  async #ask(work: AttemptWork, claim: AbortSignal, stop: AbortSignal, watch: PhaseWatch): Promise<Answer> {
    const { hub, clock, attempts } = this.#o
    const recorder = createUpdateRecorder(clock, (updates: AgentUpdate[], sequence) =>
      attempts.recordUpdates(work, updates, sequence),
    )
    const agent = this.#agentOf(work)
    let by = agent
    try {
      const response = await hub.invoke({
        agent,
        request: this.#requestFor(work),
        key: work.attempt_id,
        invocation_id: work.invocation_id ?? undefined,
        after: work.hub_sequence,
        traceparent: watch.traceparent,
        signal: stop,
        onAccepted: (invocation) => {
          by = invocation.agent
          return attempts.noteInvocation(work.attempt_id, by, invocation.id)
        },
        onUpdate: (update, sequence) => recorder.add(update, sequence),
      })
      await this.#copyArtifacts(response)
      return { kind: 'answered', response, agent: by }
    } catch (error) {
      if (claim.aborted) return { kind: 'unwanted' }
      if (stop.aborted) return { kind: 'too_long' }
      if (!(error instanceof HubError)) throw error
      watch.hubFailed(error)
      const { message: reason, retry_after_ms } = error
      return error.transient ? { kind: 'transient', reason, retry_after_ms } : { kind: 'permanent', reason }
    } finally {
      await recorder.close()
    }
  }

  async #settle(
    claim: Claim,
    work: AttemptWork,
    answer: Exclude<Answer, { kind: 'unwanted' }>,
    tries: number,
  ): Promise<void> {
    const { attempts } = this.#o
    if (answer.kind === 'answered' && answer.response.success) {
      const outcome = outcomeOfInvocation(answer.response, answer.agent)
      await claim.settle((tx) => attempts.complete(tx, work.attempt_id, outcome))
      return
    }
    const { error, release, by } = this.#failureOf(answer, tries)
    const usage = answer.kind === 'answered' ? (answer.response.result?.data?.usage ?? null) : null
    await claim.settle((tx) => attempts.fail(tx, work.attempt_id, error, release, by, usage))
  }

  #failureOf(answer: Exclude<Answer, { kind: 'unwanted' }>, tries: number) {
    switch (answer.kind) {
      case 'answered':
        return {
          error: sentences.agentFailed(answer.agent, answer.response.error),
          release: false,
          by: `agent:${answer.agent}`,
        }
      case 'permanent':
        return { error: sentences.hubRefused(answer.reason), release: false, by: 'orchestrator' }
      case 'transient':
        return { error: sentences.hubGaveUp(tries, answer.reason), release: true, by: 'orchestrator' }
      case 'too_long':
        return { error: sentences.tookTooLong(this.#o.phase_timeout_seconds), release: true, by: 'orchestrator' }
    }
  }

  #requestFor({ workflow, phase, number, feedback, session_id }: AttemptWork): InvokeRequest {
    const { workflow_type, feature_id, feature_description } = workflow
    const context: InvokeRequest['context'] = { feature_id, feature_description, phase }
    if (workflow.context !== null) context.additional_context = workflow.context
    if (workflow.result !== null) context.previous_result = workflow.result
    if (feedback !== null) context.feedback = feedback
    const model = workflow.model ?? this.#o.modelFor(workflow_type)
    const parameters = {
      command: commandOf(workflow_type, phase),
      workflow_id: workflow.id,
      attempt: number,
      workspace: workflow.workspace,
      timeout_seconds: this.#o.phase_timeout_seconds,
      ...(model !== undefined && { model }),
    }
    return { workflow_type, context, parameters, ...(session_id !== null && { session_id }) }
  }

  async #copyArtifacts(response: InvokeResponse): Promise<void> {
    const { hub, store } = this.#o
    const artifacts = response.result?.data?.artifacts ?? []
    const missing = new Set(await store.listMissingArtifacts(artifacts.map((artifact) => artifact.digest)))
    for (const artifact of artifacts) {
      if (!missing.has(artifact.digest)) continue
      const content = await hub.getArtifact(artifact.digest)
      if (sha256(content) !== artifact.digest) {
        throw new HubError(`The Agent Hub sent another content of ${artifact.path} than it announced.`, {
          transient: true,
        })
      }
      await store.insertArtifact(artifact, content)
    }
  }
}

function howItEnded(answer: Answer): 'succeeded' | 'failed' | 'unwanted' {
  if (answer.kind === 'unwanted') return 'unwanted'
  return answer.kind === 'answered' && answer.response.success ? 'succeeded' : 'failed'
}
