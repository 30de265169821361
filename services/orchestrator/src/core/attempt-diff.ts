import {
  ServiceError,
  type Artifact,
  type Attempt,
  type AttemptDiff,
  type AttemptId,
  type Digest,
} from '@orchestrator/contract'

import type { WorkflowStore } from './ports.ts'
import { unknownAttempt } from './sentences.ts'

/** One file in two versions; undefined where it is not there. */
export interface TwoVersions {
  path: string
  before: Uint8Array | undefined
  after: Uint8Array | undefined
}

/** A unified diff, or null when either is no text or too large. */
export type DiffText = (file: TwoVersions) => { diff: string; added: number; removed: number } | null

/** So that a hostile attempt cannot fill an answer; the rest is told without its diff. */
const DIFFED_FILES_MAX = 200
const DIFF_CHARACTERS_MAX = 4 * 1024 * 1024

/**
 * What the artifacts of one attempt have that another's have not; both of one workflow, of whatever phase.
 * Throws ATTEMPT_NOT_FOUND.
 */
export async function diffAttempts(
  o: { store: Pick<WorkflowStore, 'findArtifact'>; diffText: DiffText },
  attempts: readonly Attempt[],
  from: AttemptId,
  to: AttemptId,
): Promise<AttemptDiff> {
  const before = artifactsOf(attempts, from)
  const after = artifactsOf(attempts, to)
  const paths = [...new Set([...before.keys(), ...after.keys()])].sort()
  const files: AttemptDiff['files'] = []
  let characters = 0
  for (const path of paths) {
    const from_digest = before.get(path)?.digest ?? null
    const to_digest = after.get(path)?.digest ?? null
    if (from_digest === to_digest) continue
    const change = from_digest === null ? 'added' : to_digest === null ? 'deleted' : 'modified'
    const is_within = files.length < DIFFED_FILES_MAX && characters < DIFF_CHARACTERS_MAX
    const told = is_within ? o.diffText({ path, ...(await contents(o.store, from_digest, to_digest)) }) : null
    characters += told?.diff.length ?? 0
    const { diff = null, added = null, removed = null } = told ?? {}
    files.push({ path, change, from_digest, to_digest, diff, added, removed })
  }
  return { from, to, files }
}

function artifactsOf(attempts: readonly Attempt[], id: AttemptId): Map<string, Artifact> {
  const attempt = attempts.find((known) => known.id === id)
  if (attempt === undefined) throw new ServiceError('ATTEMPT_NOT_FOUND', unknownAttempt(id))
  return new Map(attempt.artifacts.map((artifact) => [artifact.path, artifact]))
}

async function contents(store: Pick<WorkflowStore, 'findArtifact'>, from: Digest | null, to: Digest | null) {
  const contentOf = async (digest: Digest | null) =>
    digest === null ? undefined : (await store.findArtifact(digest))?.content
  const [before, after] = await Promise.all([contentOf(from), contentOf(to)])
  return { before, after }
}
