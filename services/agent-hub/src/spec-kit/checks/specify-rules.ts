import { findPlaceholder, findSection, openQuestions, proseLines } from '@orchestrator/spec-kit'

import { findText, inFeature, type PhaseFiles } from './phase-files.ts'
import { error, warning, type Finding, type Rule } from './rule.ts'

const HEADINGS = ['User Scenarios & Testing', 'Requirements', 'Success Criteria'] as const

/** A rule on the text of a document that another rule has found missing says nothing. */
const onSpec =
  (find: (text: string, path: string, files: PhaseFiles) => Finding[]) =>
  (files: PhaseFiles): Finding[] => {
    const text = findText(files, 'spec.md')
    return text === undefined ? [] : find(text, inFeature(files, 'spec.md'), files)
  }

const needs = (id: string, pattern: RegExp, holds: string, missing: string): Rule => ({
  id,
  holds,
  find: onSpec((text, path) =>
    proseLines(text).some((line) => pattern.test(line.text)) ? [] : [error(missing, path)],
  ),
})

/** What makes a file a specification, whichever phase wrote it. */
export const SPEC_RULES: readonly Rule[] = [
  {
    id: 'spec-exists',
    holds: 'spec.md is there.',
    find: (files) =>
      findText(files, 'spec.md') === undefined ? [error('spec.md is missing.', inFeature(files, 'spec.md'))] : [],
  },
  {
    id: 'spec-is-written',
    holds: 'spec.md differs from the template.',
    find: onSpec((text, path, files) => {
      if (text.trim() === '') return [error('spec.md is empty.', path)]
      return text.trim() === files.templates.get('spec.md')?.trim()
        ? [error('spec.md is the template, unchanged.', path)]
        : []
    }),
  },
  {
    id: 'spec-has-headings',
    holds: 'The headings of a specification are there.',
    find: onSpec((text, path) => {
      const lines = proseLines(text)
      return HEADINGS.filter((title) => findSection(lines, title) === undefined).map((title) =>
        error(`The heading “${title}” is missing.`, path),
      )
    }),
  },
  needs(
    'spec-has-user-story',
    /^#{2,4} .{0,10}user story \d{1,3}\b.{0,300}\(priority: ?P\d/i,
    'There is a user story with a priority.',
    'There is no user story with a priority, such as “### User Story 1 - … (Priority: P1)”.',
  ),
  {
    id: 'spec-has-scenario',
    holds: 'There is an acceptance scenario.',
    find: onSpec((text, path) =>
      hasScenario(text) ? [] : [error('There is no acceptance scenario with Given, When and Then.', path)],
    ),
  },
  needs(
    'spec-has-requirement',
    /\bFR-\d{3,}\b/,
    'There is a numbered requirement.',
    'There is no functional requirement, such as “FR-001”.',
  ),
  needs(
    'spec-has-success-criterion',
    /\bSC-\d{3,}\b/,
    'There is a numbered success criterion.',
    'There is no success criterion, such as “SC-001”.',
  ),
  {
    id: 'spec-no-placeholder',
    holds: 'No placeholder of a template is left.',
    find: onSpec((text, path) =>
      proseLines(text).flatMap((line) => {
        const placeholder = findPlaceholder(line.text)
        return placeholder === undefined ? [] : [error(`The placeholder ${placeholder} is left.`, path, line.number)]
      }),
    ),
  },
]

export const SPECIFY_RULES: readonly Rule[] = [
  ...SPEC_RULES,
  {
    id: 'spec-open-question',
    holds: 'No question is open.',
    find: onSpec((text, path) =>
      openQuestions(text).map((question) =>
        warning(`Open question: ${question.text === '' ? 'not worded' : question.text}`, path, question.line),
      ),
    ),
  },
]

/** Given, When and Then in this order, within six lines. */
function hasScenario(text: string): boolean {
  const lines = proseLines(text)
  return lines.some((line, index) => {
    if (!/\bgiven\b/i.test(line.text)) return false
    const around = lines
      .slice(index, index + 6)
      .map((near) => near.text.toLowerCase())
      .join('\n')
    const when = /\bwhen\b/.exec(around.slice(around.indexOf('given')))
    return when !== null && /\bthen\b/.test(around.slice(around.indexOf('given') + when.index))
  })
}
