import { commentsOf, readComment, type ReviewComment } from './comments.ts'
import { trimPunctuation } from './clean-text.ts'
import { appendToSection } from './markdown-edits.ts'
import { written, type Command, type Outcome } from './outcome.ts'
import { planDocuments } from './plan-documents.ts'
import { revise, type Edit } from './revise.ts'
import { readSlice, uncoveredRequirements } from './slice.ts'

/** plan.md and what belongs to it; with feedback, those that are there are reworked. */
export const plan: Command = async (input) => {
  const { invocation, date, findFile } = input
  const directory = invocation.feature_directory
  const slice = await readSlice(input)
  const fresh = planDocuments(slice, directory, invocation.feature_id, date)
  const comments = commentsOf(invocation.feedback)
  const main = `${directory}/plan.md`
  const present = new Map<string, string>()
  for (const { path, content } of fresh)
    present.set(path, (comments.length > 0 ? await findFile(path) : undefined) ?? content)
  const revised = revise({
    documents: present,
    main,
    comments,
    attempt: invocation.attempt,
    date,
    integrate: integrateIntoPlan,
    objection: planObjection,
  })
  const changed = new Map([...present, ...revised.writes.map(({ path, content }): [string, string] => [path, content])])
  const writes = await written(changed, findFile)
  const uncovered = uncoveredRequirements(slice)
  return {
    reads: [`${directory}/spec.md`],
    steps: [
      {
        title: 'Read the specification',
        thought: `${slice.stories.length} user stories and ${slice.spec.requirements.length} requirements.`,
        writes: [],
      },
      {
        title: 'Decide how to build it',
        thought: 'A first slice in plain JavaScript: one file and one test per story, no dependency.',
        writes: writes.filter(({ path }) => path.endsWith('research.md')),
      },
      {
        title: 'Describe data, contract and quickstart',
        writes: writes.filter(({ path }) => !path.endsWith('research.md') && path !== main),
      },
      { title: 'Write the plan', writes: writes.filter(({ path }) => path === main) },
    ],
    report: [
      `The plan is a first slice of “${slice.title}”: ${slice.stories.length} stories, one file and one test each, in \`${slice.folder}\`.`,
      ...(uncovered.length === 0 ? [] : ['', `Beyond this slice: ${uncovered.join(', ')}.`]),
      ...(revised.notes.length === 0 ? [] : ['', 'Comments:', '', ...revised.notes]),
    ].join('\n'),
    summary:
      comments.length > 0
        ? `Plan reworked after ${comments.length} comment${comments.length === 1 ? '' : 's'}.`
        : `Plan of a first slice with ${slice.stories.length} stories.`,
    confidence: 55,
    open_questions: [],
    threads: revised.threads,
  } satisfies Outcome
}

function integrateIntoPlan(text: string, comment: ReviewComment): Edit {
  const intent = readComment(comment)
  const words =
    intent.kind === 'ask'
      ? `open to a decision by whoever builds it: ${intent.question}`
      : intent.kind === 'require'
        ? intent.statement
        : trimPunctuation(comment.text)
  const line = `- The work has to honour this wish of the review: ${words}${/[?.]$/.test(words) ? '' : '.'}`
  return {
    text: appendToSection(text, 'Wishes from the Review', line),
    done: `Taken into the plan under Wishes from the Review: “${words}”.`,
  }
}

const PLAN_HEADINGS = ['Technical Context', 'Constitution Check', 'Project Structure']

function planObjection(path: string, text: string): string | undefined {
  if (text.trim() === '') return 'any text'
  if (!path.endsWith('/plan.md')) return undefined
  if (text.includes('NEEDS CLARIFICATION')) return 'a decision on what the comment leaves open'
  return PLAN_HEADINGS.find((heading) => !text.includes(`\n## ${heading}\n`))
}
