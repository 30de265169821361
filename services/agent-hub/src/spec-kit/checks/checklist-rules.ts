import { checklistItems } from '@orchestrator/spec-kit'

import { checklistPaths, inFeature } from './phase-files.ts'
import { warning, type Rule } from './rule.ts'

export const CHECKLIST_RULES: readonly Rule[] = [
  {
    id: 'checklist-exists',
    holds: 'There is a checklist.',
    find: (files) =>
      checklistPaths(files).some((path) => checklistItems(files.texts.get(path) ?? '').length > 0)
        ? []
        : [warning('There is no checklist with items.', inFeature(files, 'checklists'))],
  },
  {
    id: 'checklist-ticks',
    holds: 'Every checklist item is ticked.',
    find: (files) =>
      checklistPaths(files).flatMap((path) => {
        const items = checklistItems(files.texts.get(path) ?? '')
        const open = items.filter((item) => !item.ticked)
        return open.length === 0
          ? []
          : [warning(`${open.length} of ${items.length} checklist items are not ticked.`, path, open[0]?.line)]
      }),
  },
]
