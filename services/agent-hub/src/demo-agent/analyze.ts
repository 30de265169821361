import { commentsOf } from './comments.ts'
import type { Command } from './outcome.ts'
import { readSlice, requirementsOfStory, uncoveredRequirements } from './slice.ts'
import { openLines } from './spec-text.ts'
import { taskRows } from './task-document.ts'

interface Finding {
  severity: 'CRITICAL' | 'HIGH' | 'MEDIUM' | 'LOW'
  place: string
  what: string
  proposal: string
}

/** Compares specification, plan and tasks, and changes nothing: the report is the closing message. */
export const analyze: Command = async (input) => {
  const { invocation, findFile } = input
  const directory = invocation.feature_directory
  const [spec, plan, tasks] = await Promise.all(
    ['spec.md', 'plan.md', 'tasks.md'].map((name) => findFile(`${directory}/${name}`)),
  )
  const slice = await readSlice(input)
  const rows = taskRows(tasks ?? '')
  const findings: Finding[] = [
    ...Object.entries({ 'spec.md': spec, 'plan.md': plan, 'tasks.md': tasks }).flatMap(([name, text]): Finding[] =>
      text === undefined
        ? [{ severity: 'CRITICAL', place: name, what: 'The document is missing.', proposal: 'Run its phase first.' }]
        : [],
    ),
    ...openLines(spec ?? '').map(({ number }): Finding => ({
      severity: 'HIGH',
      place: `spec.md:${number}`,
      what: 'A question is open.',
      proposal: 'Answer it before work begins.',
    })),
    ...slice.stories
      .filter(({ number }) => !(tasks ?? '').includes(`[US${number}]`))
      .map(({ number, title }): Finding => ({
        severity: 'HIGH',
        place: `User Story ${number}`,
        what: `No task for “${title}”.`,
        proposal: 'Add a test and a task for it.',
      })),
    ...uncoveredRequirements(slice).map((id): Finding => ({
      severity: 'MEDIUM',
      place: id,
      what: 'No task builds this requirement.',
      proposal: 'Accept it as left out of this slice, or add a task.',
    })),
    ...rows
      .filter(({ path }) => path === null)
      .map(({ id, line }): Finding => ({
        severity: 'LOW',
        place: `tasks.md:${line + 1}`,
        what: `${id} names no file.`,
        proposal: 'Name the file it touches.',
      })),
  ]
  const covered = slice.stories.flatMap((story) =>
    requirementsOfStory(slice, story).map((id) => `| ${id} | User Story ${story.number} |`),
  )
  return {
    reads: ['spec.md', 'plan.md', 'tasks.md'].map((name) => `${directory}/${name}`),
    steps: [
      { title: 'Read specification, plan and tasks', writes: [] },
      {
        title: 'Compare requirements with tasks',
        thought: `${slice.spec.requirements.length} requirements, ${rows.length} tasks.`,
        writes: [],
      },
      { title: 'Report, and change nothing', writes: [] },
    ],
    report: [
      '# Analysis',
      '',
      'By the offline demo agent, which compares ids and words and understands neither.',
      '',
      ...(findings.length === 0
        ? ['Nothing was found that does not fit.']
        : [
            '| id | severity | place | finding | proposal |',
            '|---|---|---|---|---|',
            ...findings.map(
              ({ severity, place, what, proposal }, index) =>
                `| A${index + 1} | ${severity} | ${place} | ${what} | ${proposal} |`,
            ),
          ]),
      '',
      ...(covered.length === 0 ? [] : ['## Coverage', '', '| requirement | tasks of |', '|---|---|', ...covered, '']),
    ].join('\n'),
    summary: `${findings.length} finding${findings.length === 1 ? '' : 's'} in specification, plan and tasks.`,
    confidence: findings.some(({ severity }) => severity === 'CRITICAL') ? 30 : 60,
    open_questions: [],
    threads: commentsOf(invocation.feedback).flatMap(({ id }) =>
      id === null
        ? []
        : [
            {
              id,
              fate: 'declined' as const,
              reply:
                'The analysis may change no file. The point belongs into a rework of the specification or of the tasks.',
            },
          ],
    ),
  }
}
