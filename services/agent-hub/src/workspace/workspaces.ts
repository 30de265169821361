import { mkdir } from 'node:fs/promises'

import { featureIdSchema, ServiceError, type FeatureId } from '@orchestrator/contract'

import type { Workspaces } from '../core/ports.ts'
import { clonesFolder, findClone, listClones, makeClone, removeClone, type FeatureClone } from './feature-clone.ts'
import { findNumberHolder, highestNumber, renumber } from './feature-numbers.ts'
import { findGit } from './git.ts'
import { getDefaultBranch, listFeatureNames, type Repository } from './repository.ts'
import { isSettled } from './settled.ts'
import { createWorkingCopy } from './working-copy.ts'

/** One repository under one name, and the clones of its features below `data_dir`. */
export function createWorkspaces(o: { name: string; repository: Repository; data_dir: string }): Workspaces {
  const { name, repository } = o
  const folder = clonesFolder(o.data_dir, name, repository)
  /** Two features must not both find the same number free: clones are made one after the other. */
  let making: Promise<unknown> = Promise.resolve()

  const assertKnown = (asked: string) => {
    if (asked !== name) {
      throw new ServiceError('WORKSPACE_NOT_FOUND', `There is no workspace "${asked}" here; there is "${name}".`)
    }
  }

  const listTaken = async () => [...(await listFeatureNames(repository)), ...(await listClones(folder))]

  const make = async (feature_id: FeatureId): Promise<FeatureClone> => {
    const existing = await findClone(folder, feature_id)
    if (existing !== undefined) return existing
    const taken = await listTaken()
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

  return {
    async describe(asked) {
      assertKnown(asked)
      const default_branch = await getDefaultBranch(repository)
      return { name, path: repository.path, default_branch, highest_number: highestNumber(await listTaken()) }
    },

    async open(asked, feature_id) {
      assertKnown(asked)
      const made = making.then(async () => make(feature_id))
      making = made.catch(() => {})
      const clone = await made
      const path = `specs/${feature_id}/spec.md`
      if ((await findGit(clone, ['check-ignore', '--no-index', path])) !== undefined) {
        throw new ServiceError(
          'VALIDATION_ERROR',
          `The repository’s .gitignore leaves out ${path}, so nothing could be committed: take specs/ out of it.`,
        )
      }
      return createWorkingCopy(clone, repository)
    },

    async removeSettled(asked, kept) {
      assertKnown(asked)
      const removed: string[] = []
      for (const name of (await listClones(folder)).filter((name) => !kept.has(name))) {
        const clone = await findClone(folder, featureIdSchema.parse(name))
        if (clone === undefined || !(await isSettled(clone, repository))) continue
        await removeClone(folder, clone)
        removed.push(name)
      }
      return removed
    },
  }
}
