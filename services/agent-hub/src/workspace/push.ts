import { ServiceError, type FeatureId, type PushedBranch } from '@orchestrator/contract'

import { takeUpstream, type FeatureClone } from './feature-clone.ts'
import { findGit, GitError, readGit, runGit } from './git.ts'
import { parseRemote, remoteOptions, shown, type Remote, type RemoteSettings } from './remote-url.ts'
import type { Repository } from './repository.ts'
import { WorkspaceError } from './workspace-error.ts'

/**
 * Pushes the feature's branch to a remote that the user gave the repository. From the hub's own clone, so that no
 * setting of the repository takes part: of it only the remote's URL is read. Never forced.
 * Throws VALIDATION_ERROR, PUSH_FAILED.
 */
export async function pushBranch(
  clone: FeatureClone,
  repository: Repository,
  name: string,
  settings: RemoteSettings,
): Promise<Omit<PushedBranch, 'cleaned_up'>> {
  const { feature_id } = clone
  await takeUpstream(clone, repository)
  const commit = await findGit(clone, ['rev-parse', '-q', '--verify', 'HEAD'])
  if (commit === undefined) throw failed(`Branch ${feature_id} has no commit yet: there is nothing to push.`)
  const remote = await findRemote(repository, name)
  const ref = `refs/heads/${feature_id}`
  try {
    await runGit(
      { git_dir: clone.git_dir },
      ['push', '--quiet', '--no-verify', '--recurse-submodules=no', '--end-of-options', remote.url, `${ref}:${ref}`],
      await remoteOptions(remote, settings),
    )
  } catch (error) {
    if (error instanceof WorkspaceError) throw failed(error.message, error)
    if (error instanceof GitError) throw failed(reasonOf(error, feature_id, remote), error)
    throw error
  }
  // As a push from the repository itself would note it.
  await runGit(repository, ['update-ref', `refs/remotes/${name}/${feature_id}`, commit])
  return { remote: name, url: shown(remote.url), branch: feature_id, commit }
}

async function findRemote(repository: Repository, name: string): Promise<Remote> {
  const read = async (key: string) =>
    findGit(repository, ['config', '--local', '--no-includes', '--get', `remote.${name}.${key}`])
  const url = (await read('pushurl')) ?? (await read('url'))
  if (url === undefined) {
    const known = (await readGit(repository, ['config', '--local', '--no-includes', '--name-only', '--list']))
      .split('\n')
      .flatMap((key) => /^remote\.(.+)\.url$/.exec(key)?.[1] ?? [])
    const list = known.length === 0 ? 'it has none' : `it has ${[...new Set(known)].join(', ')}`
    const message = `The repository has no remote "${name}" (${list}). Add it there with: git remote add ${name} <url>`
    throw new ServiceError('VALIDATION_ERROR', message, { details: [{ field: 'remote', message }] })
  }
  try {
    return parseRemote(url, repository.path)
  } catch (error) {
    if (error instanceof WorkspaceError) throw failed(`Remote "${name}": ${error.message}`, error)
    throw error
  }
}

function reasonOf(error: GitError, feature_id: FeatureId, remote: Remote): string {
  const to = shown(remote.url)
  if (/non-fast-forward|fetch first|\[rejected\]/.test(error.stderr)) {
    return `Branch ${feature_id} has commits at ${to} that are not here. Fetch them into the repository's branch of that name, then push again.`
  }
  if (/could not read (Username|Password)|Authentication failed|Permission denied|error: 40[13]/.test(error.stderr)) {
    const remedy =
      remote.protocol === 'ssh'
        ? 'The user that the hub runs as needs a key that is allowed there, without a passphrase or in an agent (SSH_AUTH_SOCK).'
        : 'Set HUB_CREDENTIAL_HELPER to what git shall ask for name and password.'
    return `${to} did not let us in. ${remedy}`
  }
  return `${to} did not take the branch: ${error.message}.`
}

const failed = (message: string, cause?: unknown) =>
  new ServiceError('PUSH_FAILED', message, cause === undefined ? {} : { cause })
