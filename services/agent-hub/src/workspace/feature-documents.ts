import type { FeatureId } from '@orchestrator/contract'

import type { RepositoryDocuments } from '../core/ports.ts'
import { listGit, runGit } from './git.ts'
import { findBranch, getDefaultBranch, type Repository } from './repository.ts'

/** Nobody describes a feature in more. */
const SPEC_BYTES_MAX = 1_000_000
const DOCUMENTS_MAX = 1000

/** What the repository has of a feature: on the branch of its name, else in `specs/` of the default branch. */
export async function readRepositoryFeature(
  repository: Repository,
  feature_id: FeatureId,
): Promise<RepositoryDocuments | undefined> {
  const own = await findBranch(repository, feature_id)
  const commit = own ?? (await findBranch(repository, await getDefaultBranch(repository)))
  if (commit === undefined) return undefined
  const folder = `specs/${feature_id}/`
  const entries = await listGit(repository, ['ls-tree', '-r', '-z', '--long', commit, '--', folder])
  const files = entries.slice(0, DOCUMENTS_MAX).flatMap((entry) => {
    const [, blob = '', size = '', path = ''] = /^\d+ blob ([0-9a-f]+) +(\d+)\t(.*)$/s.exec(entry) ?? []
    return blob === '' ? [] : [{ blob, size: Number(size), name: path.slice(folder.length) }]
  })
  if (own === undefined && files.length === 0) return undefined
  const spec = files.find(({ name, size }) => name === 'spec.md' && size <= SPEC_BYTES_MAX)
  const text = spec === undefined ? null : (await runGit(repository, ['cat-file', 'blob', spec.blob])).toString()
  return { documents: files.map(({ name }) => name), spec: text }
}
