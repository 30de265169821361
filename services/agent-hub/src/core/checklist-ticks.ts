import type { GivenTick } from '@orchestrator/contract'
import { tickItems } from '@orchestrator/spec-kit'

import type { OpenWorkingCopy } from './ports.ts'
import type { Log } from './run-invocation.ts'

/**
 * Puts what reviewers ticked into the checklists of the branch, in a commit of its own and before the agent works: so
 * that it is told from what the agent changes, and the agent finds the files as they were approved. Done twice, it
 * changes nothing. What has no such file or item any more is left out.
 */
export async function applyTicks(working_copy: OpenWorkingCopy, ticks: readonly GivenTick[], log: Log): Promise<void> {
  if (ticks.length === 0) return
  const folder = `${working_copy.feature_directory}/checklists/`
  const by_path = Map.groupBy(
    ticks.filter(({ path }) => path.startsWith(folder)),
    ({ path }) => path,
  )
  const committed = working_copy.asCommitted(null)
  const changed = new Map<string, string>()
  for (const [path, of_file] of by_path) {
    const text = new TextDecoder().decode(await committed.readFile(path))
    const ticked = tickItems(text, new Map(of_file.map(({ label, ticked }) => [label, ticked])))
    if (ticked !== text) changed.set(path, ticked)
  }
  if (changed.size === 0) return
  // What is committed for the reviewers is theirs, and nothing that an earlier turn left at work writes beside it.
  await working_copy.alone()
  await working_copy.reset()
  for (const [path, text] of changed) await working_copy.writeFile(path, text)
  const commit = await working_copy.commit(messageOf(working_copy.feature_directory, ticks))
  log.info({ commit, ticks: ticks.length }, 'the reviewers’ ticks are in the checklists')
}

function messageOf(directory: string, ticks: readonly GivenTick[]): string {
  const people = [...new Set(ticks.map(({ by }) => by.replaceAll(/[^\p{L}\p{N} ._@-]/gu, ' ').slice(0, 100)))]
  const lines = ticks.slice(0, 500).map(({ path, label, ticked, at }) => {
    const words = label.replaceAll(/[^\p{L}\p{N} ._,?-]/gu, ' ').slice(0, 80)
    return `${ticked ? 'ticked' : 'unticked'} ${words} of ${path.slice(directory.length + 1)} at ${at}`
  })
  return [
    `checklists of ${directory.slice('specs/'.length)} as reviewed by ${people.join(', ')}`,
    lines.join('\n'),
  ].join('\n\n')
}
