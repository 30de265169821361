import type { Digest, RenderedArtifact } from '@orchestrator/contract'

import { renderArtifact, type StoredArtifact } from './render-artifact.ts'

const KEPT_MAX = 100

/** Rendering once per digest: a content never changes under its digest. Keeps the latest in memory. */
export function createRenderer(): (artifact: StoredArtifact) => RenderedArtifact {
  const kept = new Map<Digest, RenderedArtifact>()
  return (artifact) => {
    const known = kept.get(artifact.digest)
    const rendered = known ?? renderArtifact(artifact)
    kept.delete(artifact.digest)
    kept.set(artifact.digest, rendered)
    if (kept.size > KEPT_MAX) for (const oldest of kept.keys().take(1)) kept.delete(oldest)
    return rendered
  }
}
