import { taskLines } from '@orchestrator/spec-kit'

import { findText, inFeature } from './phase-files.ts'
import { error, warning, type Rule } from './rule.ts'

export const CONVERGE_RULES: readonly Rule[] = [
  {
    id: 'converge-only-appends',
    holds: 'tasks.md is as it was, or was only added to.',
    find: (files) => {
      const path = inFeature(files, 'tasks.md')
      if (!files.changes.some((changed) => changed.path === path)) return []
      const before = files.before.get(path)?.trimEnd()
      const now = findText(files, 'tasks.md')
      return before !== undefined && now?.startsWith(before) === true
        ? []
        : [error('tasks.md was changed above its end.', path)]
    },
  },
  {
    id: 'converge-no-source',
    holds: 'No other file was changed.',
    find: (files) =>
      files.changes
        .filter(({ path }) => path !== inFeature(files, 'tasks.md'))
        .map(({ path, change }) => error(`Only tasks.md may change here, but this file was ${change}.`, path)),
  },
  {
    id: 'converge-outcome',
    holds: 'Converged: no task was added.',
    find: (files) => {
      const path = inFeature(files, 'tasks.md')
      const before = files.before.get(path)
      if (before === undefined) return []
      const added = taskLines(findText(files, 'tasks.md') ?? '').slice(taskLines(before).length)
      return added.length === 0
        ? []
        : [
            warning(
              `Not converged: ${added.length} task${added.length === 1 ? ' was' : 's were'} added.`,
              path,
              added[0]?.line,
            ),
          ]
    },
  },
]
