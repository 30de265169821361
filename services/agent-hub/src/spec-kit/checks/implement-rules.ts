import { findText, inFeature, isDocument, readTasks } from './phase-files.ts'
import { error, warning, type Rule } from './rule.ts'

export const IMPLEMENT_RULES: readonly Rule[] = [
  {
    id: 'implement-has-diff',
    holds: 'Code was changed.',
    find: (files) =>
      files.changes.some(({ path }) => !isDocument(path)) ? [] : [error('Nothing outside specs/ was changed.')],
  },
  {
    id: 'implement-all-ticked',
    holds: 'Every task is ticked.',
    find: (files) => {
      const path = inFeature(files, 'tasks.md')
      const text = findText(files, 'tasks.md')
      if (text === undefined) return [error('tasks.md is missing.', path)]
      return readTasks(files, text)
        .filter((task) => !task.ticked)
        .map((task) => error(`${task.id ?? 'A task'} is not done.`, path, task.line))
    },
  },
  {
    id: 'implement-documents-untouched',
    holds: 'spec.md, plan.md and the checklists are untouched.',
    find: (files) =>
      files.changes
        .filter(
          ({ path }) =>
            path === inFeature(files, 'spec.md') ||
            path === inFeature(files, 'plan.md') ||
            path.startsWith(inFeature(files, 'checklists/')),
        )
        .map(({ path, change }) => error(`This file was approved and must not change here, but was ${change}.`, path)),
  },
  {
    id: 'implement-no-phantom',
    holds: 'The files of every newly ticked task exist.',
    find: (files) => {
      const path = inFeature(files, 'tasks.md')
      const ticked_before = new Set(
        readTasks(files, files.before.get(path) ?? '')
          .filter((task) => task.ticked)
          .map((task) => task.id),
      )
      const deleted = new Set(files.changes.map((changed) => changed.path))
      const known = knownNames(files.paths)
      return readTasks(files, findText(files, 'tasks.md') ?? '')
        .filter((task) => task.ticked && task.id !== null && !ticked_before.has(task.id))
        .flatMap((task) =>
          task.paths
            .filter((named) => !deleted.has(named) && !known.has(named.replace(/\/$/, '')))
            .map((named) =>
              warning(`${task.id ?? ''} is ticked, but ${named} neither exists nor was changed.`, path, task.line),
            ),
        )
    },
  },
]

/** Each file, its folders, and its name as seen from each folder: tasks name files in all these ways. */
function knownNames(paths: ReadonlySet<string>): Set<string> {
  const names = new Set<string>()
  for (const path of paths) {
    const parts = path.split('/').slice(0, 40)
    for (let at = 1; at <= parts.length; at += 1) {
      names.add(parts.slice(0, at).join('/'))
      names.add(parts.slice(at - 1).join('/'))
    }
  }
  return names
}
