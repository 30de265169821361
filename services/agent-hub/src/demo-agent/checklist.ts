import { checklistDocument } from './checklist-document.ts'
import { capitalise } from './clean-text.ts'
import { commentsOf, readComment, type ReviewComment } from './comments.ts'
import { concernsOf } from './concerns.ts'
import { insertAfterLast, nextNumber } from './markdown-edits.ts'
import { written, type Command } from './outcome.ts'
import { revise, type Edit } from './revise.ts'
import { readSlice, type Slice } from './slice.ts'

/** `checklists/plan.md`: what a reviewer asks of specification and plan. Nothing is ticked, and no tick is taken away. */
export const checklist: Command = async (input) => {
  const { invocation, date, findFile, listFiles } = input
  const slice = await readSlice(input)
  const main = `${invocation.feature_directory}/checklists/plan.md`
  const comments = commentsOf(invocation.feedback)
  const present = new Map<string, string>([[main, (await findFile(main)) ?? planChecklist(slice, date)]])
  for (const path of await listFiles(`${invocation.feature_directory}/checklists`))
    present.set(path, present.get(path) ?? (await findFile(path)) ?? '')
  const revised = revise({
    documents: present,
    main,
    comments,
    attempt: invocation.attempt,
    date,
    integrate: addItem,
    objection: (_, text) => (/^- \[[ xX]\] CHK\d{3}/m.test(text) ? undefined : 'an item'),
  })
  const writes = await written(
    new Map([...present, ...revised.writes.map(({ path, content }): [string, string] => [path, content])]),
    findFile,
  )
  const items = [
    ...(revised.writes.find(({ path }) => path === main)?.content ?? present.get(main) ?? '').matchAll(
      /^- \[[ xX]\] CHK/gm,
    ),
  ].length
  return {
    reads: [`${invocation.feature_directory}/spec.md`, `${invocation.feature_directory}/plan.md`],
    steps: [
      { title: 'Read specification and plan', writes: [] },
      {
        title: 'Choose what a reviewer should look at',
        thought: 'The list tests the documents, not the code, and I leave every item unticked.',
        writes: [],
      },
      { title: 'Write the checklist', writes },
    ],
    report: [
      `The checklist has ${items} items, none of which I ticked: that is yours.`,
      ...(revised.notes.length === 0 ? [] : ['', 'Comments:', '', ...revised.notes]),
    ].join('\n'),
    summary: `Checklist with ${items} items for the reviewer.`,
    confidence: 60,
    open_questions: [],
    threads: revised.threads,
  }
}

function planChecklist(slice: Slice, date: string): string {
  const concerns = concernsOf(`${slice.title}. ${slice.stories.map(({ title }) => title).join('. ')}`)
  return checklistDocument(
    `Plan Checklist: ${slice.title}`,
    'whether specification and plan are good enough to be broken into tasks',
    date,
    [
      {
        heading: 'Stories',
        items: slice.stories.map(
          ({ number, title }) =>
            `Is it clear when User Story ${number}, “${title}”, is done? [Spec, User Story ${number}]`,
        ),
      },
      {
        heading: 'Requirements',
        items: [
          `Is ${slice.entity} described so that two people would build the same thing? [Spec, Key Entities]`,
          'Can each requirement be told from the others, and can each one fail? [Spec, Functional Requirements]',
          ...concerns.map(
            ({ noun }) =>
              `Are the rules for ${noun} complete, with figures where they are needed? [Spec, Functional Requirements]`,
          ),
        ],
      },
      {
        heading: 'Plan',
        items: [
          'Does each decision name what was turned down, and why? [Research]',
          'Is it said which requirements are left for later? [Plan, Summary]',
          'Can the quickstart be followed without asking anybody? [Quickstart]',
        ],
      },
    ],
  )
}

function addItem(text: string, comment: ReviewComment): Edit {
  const intent = readComment(comment)
  const item =
    intent.kind === 'ask'
      ? intent.question
      : `Do specification and plan answer this: ${intent.kind === 'require' ? intent.topic : comment.text.trim()}?`
  const id = `CHK${nextNumber(text, 'CHK')}`
  const line = `- [ ] ${id} ${capitalise(item.replace(/\s+/g, ' '))} [Review]`
  return {
    text: insertAfterLast(text, /^- \[[ xX]\] CHK\d{3}/, line) ?? `${text.trimEnd()}\n\n${line}\n`,
    done: `Added ${id}.`,
  }
}
