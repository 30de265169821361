import type { Artifact, WorkflowType } from '@orchestrator/contract'

/** What a file is compared with the attempt before. */
export type FileChange = 'new' | 'changed' | 'same' | 'deleted'

/** A file of an attempt in the place where a reviewer wants it. */
export interface ReviewFile extends Artifact {
  change: FileChange
}

/** The document each type is about. Of an implementation the code comes before the documents. */
const MAIN_DOCUMENT: Record<WorkflowType, string> = {
  specify: 'spec.md',
  plan: 'plan.md',
  tasks: 'tasks.md',
  implement: 'tasks.md',
}

const nameOf = ({ path }: Artifact): string => path.split('/').at(-1) ?? path

const RANKS: Record<FileChange, number> = { new: 0, changed: 0, same: 3, deleted: 6 }

/** What is new or changed first, then the main document of the type, then the rest by name. */
export function orderFiles(
  artifacts: readonly Artifact[],
  earlier: readonly Artifact[] | undefined,
  workflow_type: WorkflowType,
): ReviewFile[] {
  const known = new Map(earlier?.map(({ path, digest }) => [path, digest]))
  const rank = (file: ReviewFile): number => RANKS[file.change] + rankWithin(file, workflow_type)
  const gone = earlier?.filter(({ path }) => !artifacts.some((artifact) => artifact.path === path)) ?? []
  return [
    ...artifacts.map((artifact) => ({ ...artifact, change: compare(artifact, known) })),
    ...gone.map((artifact) => ({ ...artifact, change: 'deleted' as const })),
  ].toSorted((one, other) => rank(one) - rank(other) || one.path.localeCompare(other.path))
}

function rankWithin(file: Artifact, workflow_type: WorkflowType): number {
  if (workflow_type === 'implement' && !file.path.startsWith('specs/')) return 0
  return nameOf(file) === MAIN_DOCUMENT[workflow_type] ? 1 : 2
}

function compare({ path, digest }: Artifact, known: ReadonlyMap<string, string>): FileChange {
  const before = known.get(path)
  if (before === undefined) return 'new'
  return before === digest ? 'same' : 'changed'
}

/** `specs/001-login/contracts/api.md` → `contracts/api.md`. */
export const shortPath = (path: string): string => path.replace(/^specs\/[^/]+\//, '')
