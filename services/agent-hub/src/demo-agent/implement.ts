import { commentsOf } from './comments.ts'
import { written, type Command } from './outcome.ts'
import { revise } from './revise.ts'
import { readSlice, type Slice } from './slice.ts'
import { entriesCode, entriesTestCode, indexCode, storyCode, storyTestCode } from './slice-code.ts'
import { DEMO_NOTE } from './spec-document.ts'
import { openPointsIn, taskRows, tickTasks } from './task-document.ts'

/** Writes the files of the tasks that it can do, and ticks exactly those. */
export const implement: Command = async (input) => {
  const { invocation, date, findFile } = input
  const slice = await readSlice(input)
  const tasks_path = `${invocation.feature_directory}/tasks.md`
  const tasks = await findFile(tasks_path)
  const can_write = sliceFiles(slice, openPointsIn(tasks ?? ''))
  const rows = taskRows(tasks ?? '')
  const doable = rows.filter((row) => !row.ticked && row.path !== null && can_write.has(row.path))
  const left = rows.filter((row) => !row.ticked && !doable.includes(row))
  const comments = commentsOf(invocation.feedback)
  const due = new Set(doable.map((row) => row.path))
  const present = new Map<string, string>()
  for (const [path, content] of can_write) {
    const found = await findFile(path)
    if (due.has(path) || comments.length > 0) present.set(path, found === undefined || due.has(path) ? content : found)
  }
  const revised = revise({
    documents: present,
    main: slice.readme,
    comments,
    attempt: invocation.attempt,
    date,
    integrate: (text) => ({
      text,
      done: `Noted in ${slice.readme}. The offline demo agent makes code by template and can build nothing else; a real agent would take it from here.`,
      declined: true,
    }),
    objection: (_, text) => (text.trim() === '' ? 'any text' : undefined),
  })
  const files = await written(
    new Map([...present, ...revised.writes.map(({ path, content }): [string, string] => [path, content])]),
    findFile,
  )
  const ticked =
    tasks === undefined
      ? new Map<string, string>()
      : new Map([[tasks_path, tickTasks(tasks, new Set(doable.map(({ id }) => id)))]])
  const is_test = (path: string): boolean => path.startsWith(`${slice.tests}/`)
  return {
    reads: [tasks_path],
    steps: [
      {
        title: 'Read the tasks',
        thought: `${rows.length} tasks, ${doable.length} to do${left.length === 0 ? '' : `, ${left.length} that I cannot do`}.`,
        writes: [],
      },
      { title: 'Write the tests', writes: files.filter(({ path }) => is_test(path)) },
      { title: 'Write the code', writes: files.filter(({ path }) => !is_test(path)) },
      { title: 'Tick what is done', writes: await written(ticked, findFile) },
    ],
    report: [
      tasks === undefined
        ? 'There is no tasks.md, so I have nothing to go by.'
        : `${doable.length} of ${rows.filter((row) => !row.ticked).length} open tasks done, ${files.length} files written.`,
      ...(left.length === 0
        ? []
        : [
            '',
            `Left unticked, because they are beyond the offline demo agent: ${left.map(({ id }) => id).join(', ')}.`,
          ]),
      '',
      `To see it work: \`node --test ${slice.tests}/*.test.mjs\`. I have not run it myself.`,
      ...(revised.notes.length === 0 ? [] : ['', 'Comments:', '', ...revised.notes]),
    ].join('\n'),
    summary: `${doable.length} task${doable.length === 1 ? '' : 's'} done${left.length === 0 ? '' : `, ${left.length} left`}; ${files.length} files written.`,
    confidence: tasks === undefined ? 0 : left.length === 0 ? 65 : 30,
    open_questions: [],
    threads: revised.threads,
  }
}

/** Every file of the slice: path → content. */
export function sliceFiles(slice: Slice, open_points: readonly string[]): Map<string, string> {
  return new Map([
    [slice.readme, readme(slice, open_points)],
    [slice.entries, entriesCode(slice)],
    [slice.entries_test, entriesTestCode(slice)],
    ...slice.stories.flatMap((story): [string, string][] => [
      [story.test, storyTestCode(slice, story)],
      [story.file, storyCode(story)],
    ]),
    [slice.index, indexCode(slice)],
  ])
}

const readme = (slice: Slice, open_points: readonly string[]): string =>
  [
    `# ${slice.title}`,
    '',
    DEMO_NOTE,
    '',
    `A first slice: it keeps each ${slice.entity} in memory and has one function per user story.`,
    '',
    '```sh',
    `node --test ${slice.tests}/*.test.mjs`,
    '```',
    '',
    ...slice.stories.map(
      ({ number, title, function_name }) => `- User Story ${number}, ${title}: \`${function_name}\``,
    ),
    '',
    ...(open_points.length === 0 ? [] : ['## Open points', '', ...open_points.map((point) => `- ${point}`), '']),
  ].join('\n')
