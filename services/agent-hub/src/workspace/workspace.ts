import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { featureIdSchema, ServiceError, type FeatureId } from '@orchestrator/contract'

import type { OpenWorkingCopy, RepositoryDocuments, Workspaces } from '../core/ports.ts'
import { clonesFolder, findClone, listClones, makeClone, removeClone, type FeatureClone } from './feature-clone.ts'
import { readRepositoryFeature } from './feature-documents.ts'
import { findNumberHolder, highestNumber, renumber } from './feature-numbers.ts'
import { findGit } from './git.ts'
import { warmGitStarter } from './git-starter.ts'
import { pushBranch } from './push.ts'
import type { RemoteSettings } from './remote-url.ts'
import { getDefaultBranch, listFeatureNames, type Repository } from './repository.ts'
import { findStats } from './safe-path.ts'
import { isSettled } from './settled.ts'
import { createWorkingCopy, type KnownIndexes } from './working-copy.ts'

export interface WorkspaceOptions {
  name: string
  /** Asked again for each use: a repository that lies elsewhere is brought up to date then. */
  open(): Promise<Repository>
  /** Without bringing anything up to date; undefined where nothing is here yet. */
  peek(): Promise<Repository | undefined>
  data_dir: string
  settings: RemoteSettings
  endAgentsIn(working_copy: string): Promise<boolean>
}

/** One repository under one name, and the clones of its features. */
export interface Workspace {
  describe(): ReturnType<Workspaces['describe']>
  findFeature(feature_id: FeatureId): Promise<RepositoryDocuments | undefined>
  open(feature_id: FeatureId): Promise<OpenWorkingCopy>
  removeSettled(kept: ReadonlySet<string>): Promise<string[]>
  push(feature_id: FeatureId, o: Parameters<Workspaces['push']>[2]): ReturnType<Workspaces['push']>
}

export function createWorkspace(o: WorkspaceOptions): Workspace {
  const { name } = o
  /** Two features must not both find the same number free: clones are made one after the other. */
  let making: Promise<unknown> = Promise.resolve()
  /** Clones whose rules for ignored files were found good, as they were then. */
  const checked = new Map<string, string>()
  const indexes: KnownIndexes = new Map()

  const folderOf = (repository: Repository) => clonesFolder(o.data_dir, name, repository)
  const listTaken = async (repository: Repository) => [
    ...(await listFeatureNames(repository)),
    ...(await listClones(folderOf(repository))),
  ]

  const make = async (repository: Repository, feature_id: FeatureId): Promise<FeatureClone> => {
    const folder = folderOf(repository)
    const existing = await findClone(folder, feature_id)
    if (existing !== undefined) return existing
    const taken = await listTaken(repository)
    const holder = taken.includes(feature_id) ? undefined : findNumberHolder(feature_id, taken)
    if (holder !== undefined) {
      const free = renumber(feature_id, highestNumber(taken) + 1)
      throw new ServiceError(
        'VALIDATION_ERROR',
        `Feature number ${feature_id.split('-')[0] ?? ''} is already taken by ${holder} in the repository. Create the feature again under a free number, such as ${free}.`,
      )
    }
    await mkdir(folder, { recursive: true })
    return makeClone(folder, repository, feature_id)
  }

  const openClone = async (repository: Repository, feature_id: FeatureId): Promise<FeatureClone> => {
    const made = making.then(async () => make(repository, feature_id))
    making = made.catch(() => {})
    return made
  }

  const removeIfSettled = async (repository: Repository, clone: FeatureClone): Promise<boolean> => {
    // Who waits there is ended first: what is looked at then is what is removed, and no link is put in its way.
    await o.endAgentsIn(clone.work_tree)
    if (!(await isSettled(clone, repository))) return false
    await removeClone(folderOf(repository), clone)
    return true
  }

  return {
    async describe() {
      const repository = await o.open()
      const default_branch = await getDefaultBranch(repository)
      const highest_number = highestNumber(await listTaken(repository))
      return { name, path: repository.path, default_branch, highest_number }
    },

    async findFeature(feature_id) {
      const repository = await o.open()
      return readRepositoryFeature(repository, feature_id)
    },

    async open(feature_id) {
      warmGitStarter()
      const repository = await o.open()
      const clone = await openClone(repository, feature_id)
      const path = `specs/${feature_id}/spec.md`
      const rules = rulesOf(clone)
      if (checked.get(clone.git_dir) === rules)
        return createWorkingCopy(clone, repository, { indexes, endAgentsIn: o.endAgentsIn })
      if ((await findGit(clone, ['check-ignore', '--no-index', path])) !== undefined) {
        throw new ServiceError(
          'VALIDATION_ERROR',
          `The repository’s .gitignore leaves out ${path}, so nothing could be committed: take specs/ out of it.`,
        )
      }
      checked.set(clone.git_dir, rules)
      return createWorkingCopy(clone, repository, { indexes, endAgentsIn: o.endAgentsIn })
    },

    async removeSettled(kept) {
      const repository = await o.peek()
      if (repository === undefined) return []
      const removed: string[] = []
      for (const name of (await listClones(folderOf(repository))).filter((name) => !kept.has(name))) {
        const clone = await findClone(folderOf(repository), featureIdSchema.parse(name))
        if (clone !== undefined && (await removeIfSettled(repository, clone))) removed.push(name)
      }
      return removed
    },

    async push(feature_id, { remote, clean_up }) {
      const repository = await o.open()
      if ((await readRepositoryFeature(repository, feature_id)) === undefined) {
        throw new ServiceError('FEATURE_NOT_FOUND', `The repository has no feature ${feature_id}.`)
      }
      const clone = await openClone(repository, feature_id)
      const pushed = await pushBranch(clone, repository, remote, o.settings)
      return { ...pushed, cleaned_up: clean_up && (await removeIfSettled(repository, clone)) }
    },
  }
}

/** Changes with the repository's rules for ignored files. */
function rulesOf(clone: FeatureClone): string {
  const found = ['.gitignore', 'specs/.gitignore'].map((name) => findStats(join(clone.work_tree, name)))
  return found.map((stats) => (stats === undefined ? '' : `${stats.ino} ${stats.mtimeMs} ${stats.size}`)).join()
}
