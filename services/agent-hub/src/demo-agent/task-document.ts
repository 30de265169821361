import { requirementsOfStory, uncoveredRequirements, type Slice } from './slice.ts'
import { DEMO_NOTE } from './spec-document.ts'

/** tasks.md of the slice: only what the demo agent can really do. */
export function taskDocument(slice: Slice): string {
  let number = 0
  const task = (text: string, marks = ''): string => `- [ ] T${String((number += 1)).padStart(3, '0')}${marks} ${text}`
  const uncovered = uncoveredRequirements(slice)
  return [
    `# Tasks: ${slice.title}`,
    '',
    DEMO_NOTE,
    '',
    '**Input**: spec.md, plan.md, data-model.md, contracts/ of this folder. `[P]` marks tasks that touch no common file.',
    '',
    '## Phase 1: Setup',
    '',
    task(`Say what the slice does and how to try it in ${slice.readme}`),
    '',
    '## Phase 2: Foundational',
    '',
    task(`Keep entries, with their rules and versions, in ${slice.entries}`),
    task(`Test the rules of entries in ${slice.entries_test}`),
    '',
    ...slice.stories.flatMap((story) => {
      const ids = requirementsOfStory(slice, story)
      return [
        `## Phase ${story.number + 2}: User Story ${story.number} - ${story.title} (Priority: ${story.priority})`,
        '',
        task(`Test “${story.phrase}” in ${story.test}`, ` [P] [US${story.number}]`),
        task(
          `Make it possible to ${story.phrase} in ${story.file}${ids.length > 0 ? ` (${ids.join(', ')})` : ''}`,
          ` [P] [US${story.number}]`,
        ),
        '',
        `**Checkpoint**: \`node --test ${story.test}\` passes; the story can be tried on its own.`,
        '',
      ]
    }),
    `## Phase ${Math.max(0, ...slice.stories.map(({ number: last }) => last)) + 3}: Polish`,
    '',
    task(`Export everything from one place in ${slice.index}`),
    '',
    ...(uncovered.length === 0
      ? []
      : [
          '## Not in this slice',
          '',
          `The offline demo agent builds no code for ${uncovered.join(', ')}. They stay for a following round, or for a real agent.`,
          '',
        ]),
  ].join('\n')
}

/** A task that a reviewer’s wish becomes: the demo agent can note it, and says that it does no more. */
export const noteTask = (slice: Slice, topic: string): string => `Note the open point “${topic}” in ${slice.readme}`
export const openPointsIn = (tasks: string): string[] =>
  [...tasks.matchAll(/Note the open point “([^”]{1,400})”/g)].map((match) => match[1] ?? '')

export interface TaskRow {
  line: number
  id: string
  ticked: boolean
  path: string | null
}

/** The tasks of a document, whoever wrote it; `path` is the last word that looks like a file. */
export const taskRows = (text: string): TaskRow[] =>
  text.split('\n').flatMap((line, index) => {
    const match = /^- \[([ xX])\] (T\d{3,})\b/.exec(line)
    if (match === null) return []
    const paths = line.split(/[\s`()“”,;]+/).filter((word) => /^[\w.@-]+(?:\/[\w.@-]+)+$/.test(word))
    return [{ line: index, id: match[2] ?? '', ticked: match[1] !== ' ', path: paths.at(-1) ?? null }]
  })

export const tickTasks = (text: string, ids: ReadonlySet<string>): string => {
  const rows = new Set(
    taskRows(text)
      .filter(({ id }) => ids.has(id))
      .map(({ line }) => line),
  )
  return text
    .split('\n')
    .map((line, index) => (rows.has(index) ? line.replace('- [ ]', '- [X]') : line))
    .join('\n')
}

export const nextPhase = (text: string): number =>
  Math.max(0, ...[...text.matchAll(/^## Phase (\d{1,4})\b/gm)].map((match) => Number(match[1]))) + 1
