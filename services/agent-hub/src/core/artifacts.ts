import type { Artifact, Check, InvokeRequest } from '@orchestrator/contract'
import { ServiceError } from '@orchestrator/contract'

import { digestBytes } from './digest.ts'
import { guessMediaType } from './media-type.ts'
import { warning } from './outcome.ts'
import type { Look, WorkingCopy } from './ports.ts'
import { readResultBlock } from './result-block.ts'
import type { StoredArtifact } from './store.ts'

/** More files than a person can review; the branch has them all. */
const FILES_MAX = 2000
const READ_AT_ONCE = 8

/** Of all files of one invocation together: they are held in memory until they are stored. */
const BYTES_MAX = 64 * 1024 * 1024

/** What `analyze` says: the one artifact that is in no commit. */
export const reportPath = (feature_directory: string) => `${feature_directory}/analysis-report.md`

export interface Collected {
  artifacts: Artifact[]
  stored: StoredArtifact[]
  /** Files that could not be kept, and why. */
  checks: Check[]
}

/**
 * What a reviewer gets to see: every file of the feature's directory; what `implement` changed elsewhere; and the
 * report of `analyze`, which writes no file and whose answer is its product.
 */
export async function collectArtifacts(o: {
  request: InvokeRequest
  working_copy: WorkingCopy
  look: Look
  text: string
}): Promise<Collected> {
  const { request, working_copy, look } = o
  const feature_files = look.files.filter((path) => path.startsWith(`${working_copy.feature_directory}/`))
  const collected: Collected = { artifacts: [], stored: [], checks: [] }
  let total = 0
  const keep = (path: string, bytes: Uint8Array) => {
    total += bytes.byteLength
    if (total > BYTES_MAX) {
      total -= bytes.byteLength
      collected.checks.push(warning('file-not-kept', 'It is too large to be kept here; the branch has it.', path))
      return
    }
    const digest = digestBytes(bytes)
    collected.artifacts.push({ path, digest, size: bytes.byteLength, media_type: guessMediaType(path, bytes) })
    collected.stored.push({ digest, bytes })
  }

  const changed = look.changes.filter((file) => file.change !== 'deleted').map((file) => file.path)
  const paths = [
    ...new Set(request.workflow_type === 'implement' ? [...feature_files, ...changed] : feature_files),
  ].sort()
  if (paths.length > FILES_MAX) {
    collected.checks.push(
      warning(
        'files-not-kept',
        `Only the first ${FILES_MAX} of ${paths.length} files are kept here; the branch has all.`,
      ),
    )
  }
  for (let at = 0; at < Math.min(paths.length, FILES_MAX); at += READ_AT_ONCE) {
    // Small files are read at once: where there are many, others have their turn between.
    if (at > 0) await new Promise((resolve) => setImmediate(resolve))
    const few = paths.slice(at, Math.min(at + READ_AT_ONCE, FILES_MAX))
    const read = await Promise.all(few.map(async (path) => working_copy.readFile(path).catch(toRefusal)))
    for (const [at, path] of few.entries()) {
      const bytes = read[at]
      if (bytes instanceof ServiceError) collected.checks.push(warning('file-not-kept', bytes.message, path))
      else if (bytes !== undefined) keep(path, bytes)
    }
  }
  if (request.workflow_type === 'tasks' && request.context.phase === 'phase_2') {
    const { prose } = readResultBlock(o.text)
    if (prose !== '') {
      keep(reportPath(working_copy.feature_directory), new TextEncoder().encode(`${prose}\n`))
    }
  }
  return collected
}

function toRefusal(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error
  throw error
}
