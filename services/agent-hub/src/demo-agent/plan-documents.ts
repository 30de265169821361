import type { FileWrite } from './outcome.ts'
import { requirementsOfStory, type Slice } from './slice.ts'
import { DEMO_NOTE } from './spec-document.ts'

/** plan.md, research.md, data-model.md, contracts/ and quickstart.md of the slice. */
export const planDocuments = (slice: Slice, directory: string, feature_id: string, date: string): FileWrite[] => [
  { path: `${directory}/research.md`, content: research(slice) },
  { path: `${directory}/data-model.md`, content: dataModel(slice) },
  { path: `${directory}/contracts/module.md`, content: contract(slice) },
  { path: `${directory}/quickstart.md`, content: quickstart(slice) },
  { path: `${directory}/plan.md`, content: plan(slice, directory, feature_id, date) },
]

const plan = (slice: Slice, directory: string, feature_id: string, date: string): string =>
  [
    `# Implementation Plan: ${slice.title}`,
    '',
    `**Branch**: \`${feature_id}\` | **Date**: ${date} | **Spec**: [spec.md](spec.md)`,
    '',
    DEMO_NOTE,
    '',
    '## Summary',
    '',
    `A first slice of “${slice.title}”: one module that keeps each ${slice.entity} in memory and offers one function per user story, each with a test of its own. It shows the way through the stories; storage, screens and the requirements listed below it are left to a following plan.`,
    '',
    '## Technical Context',
    '',
    '- **Language**: JavaScript modules (`.mjs`) for Node 22 or newer, so that it runs in any repository without a build',
    '- **Dependencies**: none',
    '- **Storage**: in memory, behind four functions, so that a database can take its place',
    '- **Tests**: `node --test`',
    '- **Kind of project**: a module in the present repository',
    '- **Speed**: a list of 10,000 entries is searched in less than 50 ms',
    '- **Limits**: text fields up to 200 characters; every entry carries a version, so that no change overwrites another in silence',
    '',
    '## Constitution Check',
    '',
    '- Small and reversible: new files only, in two folders of their own. Holds.',
    '- Tested: no function without a test that can fail. Holds.',
    '- Simple: no dependency, no configuration. Holds.',
    '',
    '## Project Structure',
    '',
    '```text',
    `${directory}/`,
    '├── plan.md  research.md  data-model.md  quickstart.md',
    '└── contracts/module.md',
    `${slice.folder}/`,
    '├── README.md       what it does and how to try it',
    '├── entries.mjs     what is kept, and the rules for it',
    ...slice.stories.map((story) => `├── ${nameOf(story.file)}`),
    '└── index.mjs       everything from one place',
    `${slice.tests}/`,
    '├── entries.test.mjs',
    ...slice.stories.map(
      (story, index) => `${index === slice.stories.length - 1 ? '└──' : '├──'} ${nameOf(story.test)}`,
    ),
    '```',
    '',
    '## Stories and Requirements',
    '',
    '| story | file | requirements in this slice |',
    '|---|---|---|',
    ...slice.stories.map(
      (story) =>
        `| User Story ${story.number} – ${story.title} | \`${story.file}\` | ${requirementsOfStory(slice, story).join(', ') || 'its scenarios only'} |`,
    ),
    '',
  ].join('\n')

const research = (slice: Slice): string =>
  [
    `# Research: ${slice.title}`,
    '',
    DEMO_NOTE,
    '',
    ...decision(
      'Where entries are kept',
      'in memory, behind four functions',
      'the stories can be tried at once, and nothing outside has to be installed',
      'a file (locking would be half the code); a database (belongs to the plan that makes it last)',
    ),
    ...decision(
      'How two changes at the same time are told apart',
      'a version number on every entry',
      'the second one is refused with both versions at hand, as the specification wants',
      'the last one wins (loses work in silence); locks (stay behind when a connection breaks)',
    ),
    ...decision(
      'How the stories are cut',
      'one file and one test per story',
      'each story can be built, tried and taken back on its own',
      'one file for all (stories would be tangled); layers (no story works before all layers do)',
    ),
  ].join('\n')

const decision = (title: string, what: string, why: string, others: string): string[] => [
  `## ${title}`,
  '',
  `- **Decision**: ${what}`,
  `- **Rationale**: ${why}`,
  `- **Alternatives considered**: ${others}`,
  '',
]

const dataModel = (slice: Slice): string =>
  [
    `# Data Model: ${slice.title}`,
    '',
    DEMO_NOTE,
    '',
    `## Entry (one ${slice.entity})`,
    '',
    '| field | type | rule |',
    '|---|---|---|',
    '| `id` | whole number | given when it is added, never used again |',
    '| `name` | text | 1 to 200 characters besides blanks |',
    '| `details` | object | anything else that is known of it |',
    '| `version` | whole number | 1 at first, one more with every change |',
    '| `created_at`, `changed_at` | time, ISO 8601, UTC | set by the module |',
    '',
    'A change names the version that it was made on; any other version is refused.',
    '',
    ...(slice.spec.entities.length > 1
      ? [
          '## Also named in the specification',
          '',
          ...slice.spec.entities.slice(1).map((entity) => `- **${entity}**: kept in \`details\` in this slice.`),
          '',
        ]
      : []),
  ].join('\n')

const contract = (slice: Slice): string =>
  [
    `# Contract of the module: ${slice.title}`,
    '',
    DEMO_NOTE,
    '',
    `Everything is exported from \`${slice.index}\`. What is refused throws \`RefusedError\` with a sentence for a person.`,
    '',
    '- `createEntries({ now? })` → entries with `add`, `get`, `list`, `change`, `remove`',
    ...slice.stories.map((story) => `- \`${story.function_name}(entries, …)\` – ${story.title}`),
    '',
  ].join('\n')

const quickstart = (slice: Slice): string =>
  [
    `# Quickstart: ${slice.title}`,
    '',
    DEMO_NOTE,
    '',
    '1. Have Node 22 or newer.',
    '2. Run the tests from the root of the repository:',
    '',
    '   ```sh',
    `   node --test ${slice.tests}/*.test.mjs`,
    '   ```',
    '',
    '3. Every test passes, one file per user story:',
    '',
    ...slice.stories.map((story) => `   - \`${story.test}\` – ${story.title}`),
    '',
  ].join('\n')

const nameOf = (path: string): string => path.slice(path.lastIndexOf('/') + 1)
