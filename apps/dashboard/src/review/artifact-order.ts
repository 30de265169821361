import type { Artifact } from '@orchestrator/contract'

const FIRST = ['spec.md', 'plan.md', 'tasks.md', 'analysis.md', 'research.md', 'data-model.md', 'quickstart.md']

const rank = ({ path }: Artifact): number => {
  const place = FIRST.indexOf(path.split('/').at(-1) ?? '')
  return place === -1 ? FIRST.length : place
}

/** The file a reviewer reads first comes first. */
export const orderArtifacts = (artifacts: readonly Artifact[]): Artifact[] =>
  artifacts.toSorted((one, other) => rank(one) - rank(other) || one.path.localeCompare(other.path))

/** `specs/001-login/contracts/api.md` → `contracts/api.md`. */
export const shortPath = (path: string): string => path.replace(/^specs\/[^/]+\//, '')
