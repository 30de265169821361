import type { RenderedArtifact, RenderedDiff } from '@orchestrator/contract'

import type { StoredArtifact } from './render-artifact.ts'

const KEPT_MAX = 100
/** Longer ones are rendered again, so that what is kept stays below some 100 MB. */
const KEPT_LENGTH_MAX = 512 * 1024

export interface Renderer {
  render(artifact: StoredArtifact): Promise<RenderedArtifact>
  compare(before: StoredArtifact, after: StoredArtifact, by_lines: boolean): Promise<RenderedDiff>
}

/**
 * Rendering once per digest, comparing once per pair: a content never changes under its digest. Keeps the latest in
 * memory. The libraries for it are loaded when somebody reads: an idle service does without their memory.
 */
export function createRenderer(): Renderer {
  const rendered = keepLatest<RenderedArtifact>()
  const compared = keepLatest<RenderedDiff>()
  return {
    async render(artifact) {
      const { renderArtifact } = await import('./render-artifact.ts')
      return rendered(artifact.digest, () => renderArtifact(artifact))
    },
    async compare(before, after, by_lines) {
      const { renderDiff } = await import('./render-diff.ts')
      return compared(`${before.digest} ${after.digest} ${by_lines}`, () => renderDiff(before, after, by_lines))
    },
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
