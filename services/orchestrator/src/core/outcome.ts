import { hash } from 'node:crypto'
import type { Artifact, Check, Digest, InvokeResponse, JsonObject, Usage } from '@orchestrator/contract'

/** What an attempt brought, from the hub or from an external system, in one shape. */
export interface Outcome {
  /** Whose it is; null when an external system posted it. */
  agent: string | null
  /** The row's `result`: what the phase produced. */
  result: JsonObject
  /** SHA-256 over all that a reviewer sees. */
  digest: Digest
  output: string | null
  confidence: number | null
  uncertainty_reasons: string[]
  artifacts: Artifact[]
  checks: Check[]
  usage: Usage | null
  session_id: string | null
  threads: { id: string; fate: 'addressed' | 'declined' | 'unanswered'; reply: string | null }[]
}

/** From a hub's answer. Fields of other hubs that we do not know are kept in `result.data`. */
export function outcomeOfInvocation(response: InvokeResponse, agent: string): Outcome {
  const {
    artifacts: named = [],
    checks = [],
    threads = [],
    usage,
    session_id,
    branch,
    commit,
    ...data
  } = response.result?.data ?? {}
  // One of a path: what was named last is what is there.
  const artifacts = [...new Map(named.map((artifact) => [artifact.path, artifact])).values()]
  const output = response.result?.output ?? null
  const confidence = response.confidence ?? null
  const uncertainty_reasons = response.result?.uncertainty_reasons ?? []
  const seen = {
    output,
    files_created: response.result?.files_created ?? artifacts.map((artifact) => artifact.path),
    files_read: response.result?.files_read ?? [],
    artifacts,
    checks,
    confidence,
    uncertainty_reasons,
    ...(Object.keys(data).length > 0 && { data }),
  }
  const digest = digestOf(seen)
  const result: JsonObject = {
    ...seen,
    ...(usage && { usage }),
    ...(branch !== undefined && { branch }),
    ...(commit !== undefined && { commit }),
    ...(response.metadata && { metadata: response.metadata }),
    digest,
  }
  return {
    agent,
    result,
    digest,
    output,
    confidence,
    uncertainty_reasons,
    artifacts,
    checks,
    usage: usage ?? null,
    session_id: session_id ?? null,
    threads,
  }
}

/** From the `phase_result` that a trusted external system posted: kept as it came. */
export function outcomeOfExternal(phaseResult: JsonObject): Outcome {
  return {
    agent: null,
    result: phaseResult,
    digest: digestOf(phaseResult),
    output: typeof phaseResult['output'] === 'string' ? phaseResult['output'] : null,
    confidence: null,
    uncertainty_reasons: [],
    artifacts: [],
    checks: [],
    usage: null,
    session_id: null,
    threads: [],
  }
}

export function sha256(content: string | Uint8Array): Digest {
  return hash('sha256', content) as Digest
}

/** SHA-256 of a JSON value, whatever the order of its keys. */
export function digestOf(value: unknown): Digest {
  return sha256(JSON.stringify(sorted(value)))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, sorted(entry)]),
  )
}
