import {
  invokeResponseSchema,
  type Artifact,
  type Check,
  type InvocationStatus,
  type InvokeRequest,
  type InvokeResponse,
  type Usage,
} from '@orchestrator/contract'

import type { ChangedFile, TurnOutcome } from './ports.ts'
import { answerThreads, readResultBlock } from './result-block.ts'

/** Where a phase may rightly end without a changed file: what it says is its product. */
const REPORTS_ONLY: ReadonlySet<string> = new Set(['tasks phase_2'])

/** An agent's word counts for no more than this while a check says otherwise. */
const CONFIDENCE_MAX_WITH_ERRORS = 50

const OUTPUT_MAX = 20_000

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

const sessionData = (session_id: string | null) => (session_id === null ? {} : { result: { data: { session_id } } })

/** True when the request ended because a clock of ours ran out. */
export function isTimeout(response: InvokeResponse): boolean {
  return response.metadata?.['failure'] === 'timeout'
}

/**
 * Whether an agent that says it is done did anything at all. Some say so after their model refused to answer, so the
 * files and the closing block decide, never the stop reason.
 */
export function didNothing(request: InvokeRequest, changes: readonly ChangedFile[], text: string): boolean {
  const { block, prose } = readResultBlock(text)
  if (changes.length > 0 || block !== undefined) return false
  return !REPORTS_ONLY.has(`${request.workflow_type} ${request.context.phase}`) || prose === ''
}

export interface Finished {
  request: InvokeRequest
  outcome: Extract<TurnOutcome, { kind: 'ended' }>
  changes: readonly ChangedFile[]
  checks: readonly Check[]
  artifacts: readonly Artifact[]
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
  const { block, prose } = readResultBlock(outcome.text)
  const checks = [...finished.checks, ...judgeEnding(outcome, block !== undefined)]
  const claimed = block?.confidence ?? 0
  const confidence = checks.some((check) => check.level === 'error')
    ? Math.min(claimed, CONFIDENCE_MAX_WITH_ERRORS)
    : claimed
  return {
    success: true,
    result: {
      output: (block?.summary ?? prose).slice(0, OUTPUT_MAX),
      files_created: changes.filter((file) => file.change !== 'deleted').map((file) => file.path),
      uncertainty_reasons: block?.open_questions ?? [],
      data: {
        artifacts: [...finished.artifacts],
        checks,
        threads: answerThreads(finished.request.context.feedback, block),
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

function judgeEnding(outcome: Finished['outcome'], has_block: boolean): Check[] {
  const checks: Check[] = []
  if (outcome.stop_reason !== 'end_turn') {
    checks.push(warning('turn-ended-early', `The agent stopped before it was done (${outcome.stop_reason}).`))
  }
  if (!has_block) {
    checks.push(warning('result-block-missing', 'The agent gave no closing result, so its confidence counts as 0.'))
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
