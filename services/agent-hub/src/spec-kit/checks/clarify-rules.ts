import { checklistItems } from './checklist-items.ts'
import { findText, inFeature } from './phase-files.ts'
import { openMarkers, proseLines } from './prose.ts'
import { error, warning, type Rule } from './rule.ts'
import { SPEC_RULES } from './specify-rules.ts'

export const CLARIFY_RULES: readonly Rule[] = [
  ...SPEC_RULES,
  {
    id: 'spec-all-clarified',
    holds: 'Every open question is settled.',
    find: (files) =>
      proseLines(findText(files, 'spec.md') ?? '').flatMap((line) =>
        openMarkers(line.text).map((question) =>
          error(`Still open: ${question === '' ? 'not worded' : question}`, inFeature(files, 'spec.md'), line.number),
        ),
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
