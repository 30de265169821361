import type { RenderedArtifact, RenderedDiff } from '@orchestrator/contract'

import { renderArtifact, type StoredArtifact } from './render-artifact.ts'
import { renderDiff } from './render-diff.ts'

const KEPT_MAX = 100
/** Longer ones are rendered again, so that what is kept stays below some 100 MB. */
const KEPT_LENGTH_MAX = 512 * 1024

export interface Renderer {
  render(artifact: StoredArtifact): RenderedArtifact
  compare(before: StoredArtifact, after: StoredArtifact, by_lines: boolean): RenderedDiff
}

/** Rendering once per digest, comparing once per pair: a content never changes under its digest. Keeps the latest in memory. */
export function createRenderer(): Renderer {
  const rendered = keepLatest<RenderedArtifact>()
  const compared = keepLatest<RenderedDiff>()
  return {
    render: (artifact) => rendered(artifact.digest, () => renderArtifact(artifact)),
    compare: (before, after, by_lines) =>
      compared(`${before.digest} ${after.digest} ${by_lines}`, () => renderDiff(before, after, by_lines)),
  }
}

function keepLatest<T extends { html: string }>(): (key: string, make: () => T) => T {
  const kept = new Map<string, T>()
  return (key, make) => {
    const value = kept.get(key) ?? make()
    kept.delete(key)
    if (value.html.length <= KEPT_LENGTH_MAX) kept.set(key, value)
    if (kept.size > KEPT_MAX) for (const oldest of kept.keys().take(1)) kept.delete(oldest)
    return value
  }
}
