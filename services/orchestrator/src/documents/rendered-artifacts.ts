import type { Digest, RenderedArtifact } from '@orchestrator/contract'

import { renderArtifact, type StoredArtifact } from './render-artifact.ts'

const KEPT_MAX = 100
/** Longer ones are rendered again, so that what is kept stays below some 100 MB. */
const KEPT_LENGTH_MAX = 512 * 1024

/** Rendering once per digest: a content never changes under its digest. Keeps the latest in memory. */
export function createRenderer(): (artifact: StoredArtifact) => RenderedArtifact {
  const kept = new Map<Digest, RenderedArtifact>()
  return (artifact) => {
    const known = kept.get(artifact.digest)
    const rendered = known ?? renderArtifact(artifact)
    kept.delete(artifact.digest)
    if (rendered.html.length <= KEPT_LENGTH_MAX) kept.set(artifact.digest, rendered)
    if (kept.size > KEPT_MAX) for (const oldest of kept.keys().take(1)) kept.delete(oldest)
    return rendered
  }
}
