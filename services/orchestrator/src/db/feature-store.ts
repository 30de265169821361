import type { FeatureArtifact, Usage } from '@orchestrator/contract'

import type { FeatureStore } from '../core/feature-detail.ts'
import { parseJson } from './rows.ts'
import type { Session } from './session.ts'

export function createFeatureStore({ read }: Session): FeatureStore {
  return {
    async listSpent(feature_id) {
      const rows = await read
        .selectFrom('workflows as w')
        .innerJoin('attempts as a', 'a.workflow_id', 'w.id')
        .select(['a.started_at', 'a.finished_at', 'a.usage'])
        .where('w.feature_id', '=', feature_id)
        .execute()
      return rows.map(({ usage, ...times }) => ({ ...times, usage: parseJson<Usage>(usage) }))
    },

    async listLatestArtifacts(feature_id) {
      const rows = await read
        .selectFrom('workflows as w')
        .innerJoin('attempts as a', 'a.workflow_id', 'w.id')
        .innerJoin('attempt_artifacts as aa', 'aa.attempt_id', 'a.id')
        .select(['aa.path', 'aa.digest', 'aa.size', 'aa.media_type', 'a.workflow_id', 'aa.attempt_id'])
        .where('w.feature_id', '=', feature_id)
        .where('a.state', '=', 'succeeded')
        .orderBy('a.position')
        .execute()
      const latest = new Map<string, FeatureArtifact>(rows.map((row) => [row.path, row]))
      return [...latest.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1))
    },
  }
}
