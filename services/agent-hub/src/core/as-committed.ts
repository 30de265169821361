import { invokeResponseSchema, type Artifact, type InvokeRequest } from '@orchestrator/contract'

import { collectArtifacts, reportPath } from './artifacts.ts'
import { digestBytes } from './digest.ts'
import { warning } from './outcome.ts'
import type { WorkingCopy } from './ports.ts'
import { findExposed, type Exposed, type Secrets } from './secrets.ts'
import type { Prepared, StoredArtifact } from './store.ts'

const COMPARED_AT_ONCE = 50
const LATE_MAX = 25

export type Compared =
  /** What reviewers are to be shown is what was committed. */
  | { kind: 'same' }
  | { kind: 'different'; prepared: Prepared; stored: StoredArtifact[] }
  /** A secret is in the commit. */
  | { kind: 'exposed'; exposed: Exposed }
  /** Nothing is in a commit of what was written. */
  | { kind: 'gone' }

/**
 * The files are read while git takes them, and an agent that waits for its next turn, or what it left at work, may
 * write at that moment. So the commit has the last word: what it holds is searched for secrets, and shown.
 */
export async function compareWithCommit(o: {
  secrets: Secrets
  request: InvokeRequest
  made: WorkingCopy
  prepared: Prepared
}): Promise<Compared> {
  const { request, made, prepared } = o
  const look = await made.look()
  const [exposed] = await findExposed(o.secrets, made, look.changes)
  if (exposed !== undefined) return { kind: 'exposed', exposed }
  const { result } = prepared.response
  const told = new Set(result?.files_created)
  if (told.size > 0 && look.changes.length === 0) return { kind: 'gone' }
  const shown = result?.data?.artifacts ?? []
  const report_path = reportPath(made.feature_directory)
  // It comes after the file of that path, where the branch has one.
  const report = shown.filter(({ path }) => path === report_path).slice(look.files.includes(report_path) ? 1 : 0)
  const present = look.changes.filter(({ change }) => change !== 'deleted').map(({ path }) => path)
  const late = present.filter((path) => !told.has(path))
  const documents = shown.filter((artifact) => !report.includes(artifact))
  if (late.length === 0 && present.length === told.size && (await areCommitted(made, documents))) {
    return { kind: 'same' }
  }

  const collected = await collectArtifacts({ request, working_copy: made, look, text: '' })
  const known = result?.data?.checks ?? []
  const refused = collected.checks.filter(({ id, path }) => !known.some((row) => row.id === id && row.path === path))
  const response = invokeResponseSchema.parse({
    ...prepared.response,
    result: {
      ...result,
      files_created: present,
      data: {
        ...result?.data,
        artifacts: [...collected.artifacts, ...report],
        checks: [...known, ...late.slice(0, LATE_MAX).map(toWarning), ...refused],
      },
    },
  })
  return { kind: 'different', prepared: { ...prepared, response }, stored: collected.stored }
}

const toWarning = (path: string) =>
  warning('changed-late', 'It was written when the agent’s turn had ended: no other check has seen it.', path)

async function areCommitted(made: WorkingCopy, shown: readonly Artifact[]): Promise<boolean> {
  for (let at = 0; at < shown.length; at += COMPARED_AT_ONCE) {
    const few = shown.slice(at, at + COMPARED_AT_ONCE)
    const committed = await made.readCommitted(few.map(({ path }) => path))
    for (const { path, digest } of few) {
      const bytes = committed.get(path)
      if (bytes === undefined || digestBytes(bytes) !== digest) return false
    }
  }
  return true
}
