import {
  invokeResponseSchema,
  type Artifact,
  type Check,
  type InvocationStatus,
  type InvokeRequest,
  type InvokeResponse,
  type JsonObject,
  type Usage,
} from '@orchestrator/contract'

import type { AgentResult, ChangedFile, TurnOutcome } from './ports.ts'
import { answerThreads, readResult } from './result-block.ts'

/** Where a phase may rightly end without a changed file: what it says is its product. */
const REPORTS_ONLY: ReadonlySet<string> = new Set(['tasks phase_2'])

/** An agent's word counts for no more than this while a check says otherwise. */
const CONFIDENCE_MAX_WITH_ERRORS = 50

const OUTPUT_MAX = 20_000
const CLAIMS_MAX = 25

export interface Finish {
  status: InvocationStatus
  response: InvokeResponse
}

export type Failure = 'timeout' | 'agent' | 'workspace' | 'interrupted'

export function cancelled(session_id: string | null): Finish {
  return {
    status: 'cancelled',
    response: {
      success: false,
      error: 'It was cancelled.',
      ...sessionData(session_id),
      metadata: { failure: 'cancelled' },
    },
  }
}

/** `reason` is a sentence a person can act on. */
export function failed(reason: string, failure: Failure, session_id: string | null): Finish {
  return {
    status: 'failed',
    response: { success: false, error: reason, ...sessionData(session_id), metadata: { failure } },
  }
}

/** With what the work took all the same, where that is known. */
export function withUsage(finish: Finish, usage: Usage | null): Finish {
  if (usage === null) return finish
  const { response } = finish
  const data = { ...response.result?.data, usage }
  return { ...finish, response: invokeResponseSchema.parse({ ...response, result: { ...response.result, data } }) }
}

const sessionData = (session_id: string | null) => (session_id === null ? {} : { result: { data: { session_id } } })

/** True when the request ended because a clock of ours ran out. */
export function isTimeout(response: InvokeResponse): boolean {
  return response.metadata?.['failure'] === 'timeout'
}

/**
 * Whether an agent that says it is done did anything at all. Some say so after their model refused to answer, so the
 * files and the closing block decide, never the stop reason.
 */
export function didNothing(
  request: InvokeRequest,
  changes: readonly ChangedFile[],
  outcome: { text: string; result: AgentResult | null },
): boolean {
  const { result, prose } = readResult(outcome)
  if (changes.length > 0 || result !== undefined) return false
  return !REPORTS_ONLY.has(`${request.workflow_type} ${request.context.phase}`) || prose === ''
}

export interface Finished {
  request: InvokeRequest
  outcome: Extract<TurnOutcome, { kind: 'ended' }>
  changes: readonly ChangedFile[]
  checks: readonly Check[]
  artifacts: readonly Artifact[]
  /** Evidence of the phase, beside what every phase has. */
  data?: JsonObject
  usage: Usage | null
  agent: string
  invocation_id: string
  session_id: string
  branch: string
  duration_ms: number
}

/** The answer to a turn that brought something; the commit is told later, when there is one. */
export function succeeded(finished: Finished): InvokeResponse {
  const { outcome, changes } = finished
  const { result, prose } = readResult(outcome)
  const checks = [...finished.checks, ...judgeEnding(outcome, result, changes)]
  const claimed = result?.confidence ?? 0
  const confidence = checks.some((check) => check.level === 'error')
    ? Math.min(claimed, CONFIDENCE_MAX_WITH_ERRORS)
    : claimed
  return {
    success: true,
    result: {
      output: (result?.summary ?? prose).slice(0, OUTPUT_MAX),
      files_created: changes.filter((file) => file.change !== 'deleted').map((file) => file.path),
      uncertainty_reasons: result?.open_questions ?? [],
      data: {
        ...finished.data,
        artifacts: [...finished.artifacts],
        checks,
        threads: answerThreads(finished.request.context.feedback, result),
        session_id: finished.session_id,
        branch: finished.branch,
        commit: null,
        ...(finished.usage === null ? {} : { usage: finished.usage }),
      },
    },
    confidence,
    metadata: {
      duration_ms: finished.duration_ms,
      model_used: outcome.model,
      agent: finished.agent,
      invocation_id: finished.invocation_id,
    },
  }
}

function judgeEnding(
  outcome: Finished['outcome'],
  result: AgentResult | undefined,
  changes: readonly ChangedFile[],
): Check[] {
  const checks: Check[] = []
  if (outcome.stop_reason !== 'end_turn') {
    checks.push(warning('turn-ended-early', `The agent stopped before it was done (${outcome.stop_reason}).`))
  }
  if (result === undefined) {
    checks.push(warning('result-block-missing', 'The agent gave no closing result, so its confidence counts as 0.'))
  }
  const changed = new Set(changes.map(({ path }) => path))
  const claimed = (result?.files ?? []).map((path) => path.replace(/^\.\//, '')).filter((path) => !changed.has(path))
  for (const path of claimed.filter((path) => !path.startsWith('/')).slice(0, CLAIMS_MAX)) {
    checks.push(warning('claimed-not-changed', 'The agent says that it wrote this file, but it did not change.', path))
  }
  return checks
}

export const warning = (id: string, message: string, path: string | null = null): Check => ({
  id,
  level: 'warning',
  message,
  path,
  line: null,
})

/** With the commit, and what kept the branch from being brought into the repository. */
export function withCommit(response: InvokeResponse, commit: string | null, note: string | null): InvokeResponse {
  const known = response.result?.data
  const checks = [...(known?.checks ?? []), ...(note === null ? [] : [warning('branch-not-moved', note)])]
  return invokeResponseSchema.parse({
    ...response,
    result: { ...response.result, data: { ...known, commit, checks } },
  })
}

export function addUsage(a: Usage | null, b: Usage | null): Usage | null {
  if (a === null || b === null) return a ?? b
  const sum = (x: number | null, y: number | null) => (x === null && y === null ? null : (x ?? 0) + (y ?? 0))
  return {
    input_tokens: sum(a.input_tokens, b.input_tokens),
    output_tokens: sum(a.output_tokens, b.output_tokens),
    cost_usd: sum(a.cost_usd, b.cost_usd),
  }
}
