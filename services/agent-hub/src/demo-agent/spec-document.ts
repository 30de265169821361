import type { Scenario } from './concerns.ts'
import { quoteMarkdown, shorten } from './clean-text.ts'
import { openQuestions } from './open-questions.ts'
import { phraseOf, type Description } from './read-description.ts'
import { storiesOf, type Story } from './stories.ts'

/** Below the title of everything it writes: nobody must take it for the work of a model or a person. */
export const DEMO_NOTE =
  '> Written by the **offline demo agent**: no language model has read or judged this. It turns the words of the description into the usual shape, so that the way through review can be tried.'

const QUOTE_LIMIT = 20_000

export interface SpecInput {
  description: Description
  /** The author's own words, whole. */
  source: string
  feature_id: string
  /** `YYYY-MM-DD`. */
  date: string
}

/** `spec.md` of a feature. */
export function specDocument(input: SpecInput): string {
  const { description } = input
  const stories = storiesOf(description)
  return [
    `# Feature Specification: ${description.title}`,
    '',
    `**Feature Branch**: \`${input.feature_id}\`  `,
    `**Created**: ${input.date}  `,
    '**Status**: Draft',
    '',
    DEMO_NOTE,
    '',
    '**Input**, in its author’s words:',
    '',
    quoteMarkdown(shorten(input.source, QUOTE_LIMIT)),
    '',
    '## User Scenarios & Testing',
    '',
    ...stories.flatMap((story, index) => storySection(story, index, description)),
    '### Edge Cases',
    '',
    ...edgeCases(description).map(([question, answer]) => `- ${question} ${answer}`),
    '',
    '## Requirements',
    '',
    '### Functional Requirements',
    '',
    ...numbered('FR', requirementsOf(description, stories)),
    '',
    '### Key Entities',
    '',
    ...description.entities.map((entity) => entityLine(entity, description)),
    '',
    '## Success Criteria',
    '',
    '### Measurable Outcomes',
    '',
    ...numbered('SC', [
      ...new Set([
        ...stories.slice(0, 3).map((story) => story.success),
        ...description.concerns.flatMap((concern) => concern.success ?? []),
      ]),
    ]),
    '',
    '## Assumptions',
    '',
    ...assumptionsOf(description).map((line) => `- ${line}`),
    '',
  ].join('\n')
}

const storySection = (story: Story, index: number, description: Description): string[] => [
  `### User Story ${index + 1} - ${story.title} (Priority: P${Math.min(index + 1, 3)})`,
  '',
  story.narrative,
  '',
  `**Why this priority**: ${story.why}`,
  '',
  `**Independent Test**: ${story.independent_test}`,
  '',
  '**Acceptance Scenarios**:',
  '',
  ...[...story.scenarios, ...(index === 0 ? description.concerns.slice(0, 2).map(({ scenario }) => scenario) : [])].map(
    (scenario, number) => `${number + 1}. ${scenarioText(scenario)}`,
  ),
  '',
]

export const scenarioText = ({ given, when, outcome }: Scenario): string =>
  `**Given** ${given}, **When** ${when}, **Then** ${outcome}.`

const numbered = (prefix: string, lines: readonly string[]): string[] =>
  lines.map((line, index) => `- **${prefix}-${String(index + 1).padStart(3, '0')}**: ${line}`)

function requirementsOf(description: Description, stories: readonly Story[]): string[] {
  const settled = [
    ...stories.flatMap((story) => story.requirements),
    ...description.statements.map(statementAsRequirement),
    ...description.concerns.flatMap((concern) => concern.requirements),
  ]
  const open = openQuestions(description).map(({ requirement, ask }) => `${requirement} [NEEDS CLARIFICATION: ${ask}]`)
  return [...new Set(settled), ...open]
}

/** Keeps the author's words: a sentence with a modal verb is already one, any other has to hold. */
export function statementAsRequirement(statement: string): string {
  const binding = statement.replace(/\b(?:must|shall|should|has to|have to|needs? to)\b/i, 'MUST')
  return /\bMUST\b/.test(binding) ? `${binding}.` : `This MUST hold: ${statement}.`
}

function edgeCases({ concerns, actions }: Description): (readonly [string, string])[] {
  const [first] = actions
  return [
    ...concerns.map((concern) => concern.edge),
    [
      `What happens when somebody does the same thing twice in a row${first === undefined ? '' : `, such as pressing “${first.verb}” again`}?`,
      'The second time changes nothing and creates nothing twice.',
    ],
    [
      'What happens when the connection breaks in the middle?',
      'Either all of it happened or none of it, and the page says which.',
    ],
  ]
}

function entityLine(entity: string, { actions }: Description): string {
  const stories = actions.flatMap((action, index) =>
    phraseOf(action).toLowerCase().includes(entity.toLowerCase()) ? [index + 1] : [],
  )
  const used = stories.length === 0 ? 'used throughout' : `used in User Story ${stories.join(', ')}`
  return `- **${entity}**: ${used}; has an identity of its own, a state, and the time and author of its last change.`
}

function assumptionsOf({ understood, actions }: Description): string[] {
  return [
    ...(understood === 'foreign'
      ? ['The stories quote the description instead of rephrasing it, because it is not in English.']
      : []),
    ...(understood === 'bare' ? ['The description is short; everything beyond its words is a proposal.'] : []),
    ...(actions.length > 1 ? ['The order of the stories follows the order of the description.'] : []),
    'What the description does not mention stays as it is today.',
    'People use a current browser or program and have a connection.',
  ]
}
