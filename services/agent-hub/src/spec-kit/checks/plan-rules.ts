import { findPlaceholder, findSection, proseLines, withoutCode, type ProseLine } from '@orchestrator/spec-kit'

import { findText, inFeature, type PhaseFiles } from './phase-files.ts'
import { error, warning, type Finding, type Rule } from './rule.ts'

const SECTIONS = ['Technical Context', 'Constitution Check', 'Project Structure'] as const

const exists = (id: string, name: string): Rule => ({
  id,
  holds: `${name} is there.`,
  find: (files) =>
    (findText(files, name) ?? '').trim() === '' ? [error(`${name} is missing or empty.`, inFeature(files, name))] : [],
})

const onLines =
  (name: string, find: (lines: ProseLine[], path: string, text: string) => Finding[]) =>
  (files: PhaseFiles): Finding[] => {
    const text = findText(files, name)
    return text === undefined ? [] : find(proseLines(text), inFeature(files, name), text)
  }

const hasContent = (lines: readonly ProseLine[], text: string): boolean =>
  lines.some((line) => line.text.trim() !== '' && !line.text.startsWith('#')) || text.includes('```')

export const PLAN_RULES: readonly Rule[] = [
  exists('plan-exists', 'plan.md'),
  {
    id: 'plan-is-filled',
    holds: 'Technical Context, Constitution Check and Project Structure are filled in.',
    find: onLines('plan.md', (lines, path, text) => [
      ...SECTIONS.flatMap((title) => {
        const section = findSection(lines, title)
        if (section === undefined) return [error(`The heading “${title}” is missing.`, path)]
        return hasContent(section, text) ? [] : [error(`“${title}” is empty.`, path)]
      }),
      ...lines.flatMap((line) => {
        const placeholder = findPlaceholder(line.text)
        return placeholder === undefined ? [] : [error(`The placeholder ${placeholder} is left.`, path, line.number)]
      }),
    ]),
  },
  {
    id: 'plan-nothing-open',
    holds: 'The plan leaves no question open.',
    find: onLines('plan.md', (lines, path) =>
      lines
        .filter((line) => line.text.includes('NEEDS CLARIFICATION'))
        .map((line) => error('A question is left open.', path, line.number)),
    ),
  },
  {
    id: 'plan-no-options',
    holds: 'The plan has decided between its options.',
    find: onLines('plan.md', (lines, path, text) =>
      [...lines, ...fencedLines(text, lines)]
        .filter((line) => /\bOption \d{1,3}:/.test(line.text))
        .map((line) => error('A choice between options is left.', path, line.number)),
    ),
  },
  exists('research-exists', 'research.md'),
  {
    id: 'research-has-decisions',
    holds: 'Decisions and their alternatives are recorded.',
    find: onLines('research.md', (lines, path) => [
      ...(lines.some((line) => /\bdecision\b/i.test(line.text)) ? [] : [error('No decision is recorded.', path)]),
      ...(lines.some((line) => /\balternatives?\b/i.test(line.text))
        ? []
        : [error('No alternatives are recorded.', path)]),
    ]),
  },
  exists('quickstart-exists', 'quickstart.md'),
  {
    id: 'plan-has-data-model',
    holds: 'data-model.md is there.',
    find: (files) =>
      findText(files, 'data-model.md') === undefined
        ? [warning('There is no data-model.md.', inFeature(files, 'data-model.md'))]
        : [],
  },
  {
    id: 'plan-has-contracts',
    holds: 'contracts/ is there.',
    find: (files) =>
      [...files.texts.keys()].some((path) => path.startsWith(inFeature(files, 'contracts/')))
        ? []
        : [warning('There is nothing in contracts/.', inFeature(files, 'contracts'))],
  },
  {
    id: 'plan-complexity',
    holds: 'The plan claims no exception from the principles.',
    find: onLines('plan.md', (lines, path) =>
      tableRows(findSection(lines, 'Complexity Tracking') ?? []).map((row) =>
        warning(`An exception is claimed: ${row.text.replaceAll('|', ' ').trim().slice(0, 200)}`, path, row.number),
      ),
    ),
  },
]

/** The structure of a template is drawn in a code block, and its labels stand there. */
function fencedLines(text: string, prose: readonly ProseLine[]): ProseLine[] {
  const seen = new Set(prose.map((line) => line.number))
  return text
    .split(/\r?\n/)
    .flatMap((line, index) => (seen.has(index + 1) ? [] : [{ number: index + 1, text: line.slice(0, 2000) }]))
}

/** Rows below the line that parts a table's head from its body. */
function tableRows(lines: readonly ProseLine[]): ProseLine[] {
  const divider = lines.findIndex((line) => /^\s{0,3}\|[ :|-]{3,}$/.test(line.text.trimEnd()))
  return divider === -1
    ? []
    : lines
        .slice(divider + 1)
        .filter((line) => line.text.trimStart().startsWith('|') && /[\p{L}\p{N}]/u.test(withoutCode(line.text)))
}
