import { checklistItems, openQuestions } from '@orchestrator/spec-kit'

import { findText, inFeature } from './phase-files.ts'
import { error, warning, type Rule } from './rule.ts'
import { SPEC_RULES } from './specify-rules.ts'

export const CLARIFY_RULES: readonly Rule[] = [
  ...SPEC_RULES,
  {
    id: 'spec-all-clarified',
    holds: 'Every open question is settled.',
    find: (files) =>
      openQuestions(findText(files, 'spec.md') ?? '').map(({ text, line }) =>
        error(`Still open: ${text === '' ? 'not worded' : text}`, inFeature(files, 'spec.md'), line),
      ),
  },
  {
    id: 'checklist-no-tick-lost',
    holds: 'No checklist item lost its tick.',
    find: (files) =>
      [...files.before].flatMap(([path, text]) => {
        if (!path.includes('/checklists/')) return []
        const now = new Map(checklistItems(files.texts.get(path) ?? '').map((item) => [item.id, item]))
        return checklistItems(text)
          .filter((item) => item.ticked && now.get(item.id)?.ticked !== true)
          .map((item) => warning(`${item.id} was ticked and is not any more.`, path, now.get(item.id)?.line))
      }),
  },
]
