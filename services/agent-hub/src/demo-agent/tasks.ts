import { commentsOf, readComment, type ReviewComment } from './comments.ts'
import { insertAfterLast, nextNumber } from './markdown-edits.ts'
import { written, type Command } from './outcome.ts'
import { revise, type Edit } from './revise.ts'
import { readSlice, uncoveredRequirements, type Slice } from './slice.ts'
import { noteTask, taskDocument, taskRows } from './task-document.ts'

/** tasks.md; with feedback, the one that is there is reworked. */
export const tasks: Command = async (input) => {
  const { invocation, date, findFile } = input
  const slice = await readSlice(input)
  const main = `${invocation.feature_directory}/tasks.md`
  const comments = commentsOf(invocation.feedback)
  const present = (comments.length > 0 ? await findFile(main) : undefined) ?? taskDocument(slice)
  const revised = revise({
    documents: new Map([[main, present]]),
    main,
    comments,
    attempt: invocation.attempt,
    date,
    integrate: (text, comment) => addTask(text, comment, slice),
    objection: (_, text) => taskObjection(text),
  })
  const content = revised.writes[0]?.content ?? present
  const count = taskRows(content).length
  const uncovered = uncoveredRequirements(slice)
  return {
    reads: [`${invocation.feature_directory}/spec.md`, `${invocation.feature_directory}/plan.md`],
    steps: [
      { title: 'Read specification and plan', writes: [] },
      {
        title: 'Cut the work by user story',
        thought: `${slice.stories.length} stories; each gets its test and its file, which touch nothing in common.`,
        writes: [],
      },
      { title: 'Write the tasks', writes: await written(new Map([[main, content]]), findFile) },
    ],
    report: [
      `${count} tasks in the order of the stories, each naming its file.`,
      ...(uncovered.length === 0 ? [] : ['', `Left out, because I cannot build them: ${uncovered.join(', ')}.`]),
      ...(revised.notes.length === 0 ? [] : ['', 'Comments:', '', ...revised.notes]),
    ].join('\n'),
    summary: `${count} tasks for ${slice.stories.length} stories.`,
    confidence: 60,
    open_questions: [],
    threads: revised.threads,
  }
}

export function addTask(text: string, comment: ReviewComment, slice: Slice): Edit {
  const intent = readComment(comment)
  const topic = intent.kind === 'ask' ? intent.question : intent.kind === 'require' ? intent.topic : comment.text
  const id = `T${nextNumber(text, 'T')}`
  const line = `- [ ] ${id} ${noteTask(slice, topic)}`
  const within = text.split('\n').findIndex((candidate) => candidate.startsWith('## Not in this slice'))
  const placed = insertAfterLast(text, /^- \[[ xX]\] T\d{3,}/, line, { from: 0, to: within === -1 ? Infinity : within })
  return {
    text: placed ?? `${text.trimEnd()}\n\n${line}\n`,
    done: `Added ${id}, which notes the point for whoever builds it; the offline demo agent can build no code for it.`,
  }
}

function taskObjection(text: string): string | undefined {
  const rows = taskRows(text)
  const ids = rows.map(({ id }) => id)
  if (rows.length === 0) return 'a task'
  if (new Set(ids).size !== ids.length) return 'unique ids'
  const broken = text
    .split('\n')
    .some((line) => /^\s*[-*] \[/.test(line) && !/^- \[[ xX]\] T\d{3,}( \[P\])?( \[US\d+\])? \S/.test(line))
  if (broken) return 'the format of its tasks'
  return hasStrayLabel(text) ? 'the phases of its stories' : undefined
}

/** A story label above which no heading names a story. */
function hasStrayLabel(text: string): boolean {
  let in_story = false
  return text.split('\n').some((line) => {
    if (line.startsWith('## ')) in_story = /User Story|Convergence/.test(line)
    return !in_story && /^- \[[ xX]\] T\d+ (?:\[P\] )?\[US\d/.test(line)
  })
}
