import { commentsOf, readComment } from './comments.ts'
import { nextNumber } from './markdown-edits.ts'
import type { Command, ThreadAnswer } from './outcome.ts'
import { readSlice } from './slice.ts'
import { nextPhase, noteTask, taskRows } from './task-document.ts'

/** Looks at the files that tasks name, not at the ticks. Appends what is missing to tasks.md, or leaves it byte for byte. */
export const converge: Command = async (input) => {
  const { invocation, findFile } = input
  const path = `${invocation.feature_directory}/tasks.md`
  const tasks = await findFile(path)
  const slice = await readSlice(input)
  const gaps: string[] = []
  for (const { id, ticked, path: file } of taskRows(tasks ?? '')) {
    if (ticked && file !== null && (await findFile(file)) === undefined)
      gaps.push(`Bring back what ${id} promised in ${file}`)
  }
  const threads: ThreadAnswer[] = []
  for (const comment of commentsOf(invocation.feedback)) {
    const intent = readComment(comment)
    const topic =
      intent.kind === 'ask'
        ? intent.question
        : intent.kind === 'require'
          ? intent.topic
          : intent.kind === 'nothing'
            ? null
            : comment.text.replace(/\s+/g, ' ').trim()
    if (topic !== null) gaps.push(noteTask(slice, topic.replace(/[“”]/g, '"').slice(0, 300)))
    if (comment.id !== null) {
      threads.push(
        topic === null
          ? { id: comment.id, fate: 'declined', reply: 'I read no wish for a change in this comment.' }
          : {
              id: comment.id,
              fate: 'addressed',
              reply: 'Appended a task for it to tasks.md; the implementation comes next.',
            },
      )
    }
  }
  const open = taskRows(tasks ?? '').filter(({ ticked }) => !ticked)
  const content = tasks === undefined || gaps.length === 0 ? undefined : appendPhase(tasks, gaps)
  const converged = gaps.length === 0 && open.length === 0 && tasks !== undefined
  return {
    reads: [path],
    steps: [
      { title: 'Read the tasks', writes: [] },
      {
        title: 'Look at the files they name',
        thought: gaps.length === 0 ? 'Every file is there.' : `${gaps.length} gaps.`,
        writes: [],
      },
      {
        title: converged ? 'Leave everything as it is' : 'Say what is missing',
        writes: content === undefined ? [] : [{ path, content }],
      },
    ],
    report: converged
      ? 'Converged: every task is ticked, and every file that the tasks name exists. Nothing was changed.'
      : `Not converged: ${gaps.length} task${gaps.length === 1 ? '' : 's'} appended, ${open.length} open before.`,
    summary: converged ? 'Converged.' : `Not converged: ${gaps.length} tasks appended, ${open.length} open.`,
    confidence: converged ? 70 : 40,
    open_questions: [],
    threads,
  }
}

function appendPhase(tasks: string, gaps: readonly string[]): string {
  const first = Number(nextNumber(tasks, 'T'))
  const lines = gaps.map((gap, index) => `- [ ] T${String(first + index).padStart(3, '0')} ${gap}`)
  return `${tasks.endsWith('\n') ? tasks : `${tasks}\n`}\n## Phase ${nextPhase(tasks)}: Convergence\n\n${lines.join('\n')}\n`
}
