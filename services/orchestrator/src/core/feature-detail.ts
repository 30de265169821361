import { coverageOf } from '@orchestrator/spec-kit'
import type { Digest, FeatureArtifact, FeatureDetail, FeatureId, FeatureTotals, Usage } from '@orchestrator/contract'

import type { WorkflowStore } from './ports.ts'

/** As much of an attempt as the totals need. */
export interface SpentAttempt {
  started_at: string | null
  finished_at: string | null
  usage: Usage | null
}

export interface FeatureStore {
  /** Of all its workflows. By index, so that it grows with the feature's own attempts and with nothing else. */
  listSpent(feature_id: FeatureId): Promise<SpentAttempt[]>
  /** Latest version of each path that a successful attempt left, by path. */
  listLatestArtifacts(feature_id: FeatureId): Promise<FeatureArtifact[]>
}

export interface FeatureDetailsOptions {
  store: Pick<WorkflowStore, 'findFeature' | 'findArtifact'>
  features: FeatureStore
}

/** Longer documents are not read for coverage. */
const DOCUMENT_BYTES_MAX = 1_000_000

/** A feature with everything known of it. Undefined where there is none of that name. */
export async function describeFeature(
  { store, features }: FeatureDetailsOptions,
  id: FeatureId,
): Promise<Omit<FeatureDetail, 'budget'> | undefined> {
  const feature = await store.findFeature(id)
  if (feature === undefined) return undefined
  const artifacts = await features.listLatestArtifacts(id)
  const digests = new Map(artifacts.map(({ path, size, digest }) => [path, { size, digest }]))

  const read = async (name: string): Promise<string> => {
    const known = digests.get(`specs/${id}/${name}`)
    if (known === undefined || known.size > DOCUMENT_BYTES_MAX) return ''
    return textOf(store, known.digest)
  }
  const [spec, plan, tasks] = await Promise.all([read('spec.md'), read('plan.md'), read('tasks.md')])
  const coverage = coverageOf({ spec, plan, tasks })
  return { ...feature, artifacts, coverage, totals: totalsOf(await features.listSpent(id)) }
}

async function textOf(store: Pick<WorkflowStore, 'findArtifact'>, digest: Digest): Promise<string> {
  return new TextDecoder().decode((await store.findArtifact(digest))?.content)
}

export function totalsOf(attempts: readonly SpentAttempt[]): FeatureTotals {
  const totals: FeatureTotals = {
    attempts: attempts.length,
    agent_seconds: 0,
    input_tokens: null,
    output_tokens: null,
    cost_usd: null,
  }
  for (const { started_at, finished_at, usage } of attempts) {
    if (started_at !== null && finished_at !== null) {
      totals.agent_seconds += Math.max(0, Date.parse(finished_at) - Date.parse(started_at)) / 1000
    }
    for (const name of ['input_tokens', 'output_tokens', 'cost_usd'] as const) {
      const more = usage?.[name] ?? null
      if (more !== null) totals[name] = (totals[name] ?? 0) + more
    }
  }
  return totals
}
