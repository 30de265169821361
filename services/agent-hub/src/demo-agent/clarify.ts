import { answersIn, settle, type Settled } from './clarifications.ts'
import { commentsOf, type ReviewComment } from './comments.ts'
import { openQuestions } from './open-questions.ts'
import type { Command, CommandInput, Outcome } from './outcome.ts'
import { readDescription } from './read-description.ts'
import { revise } from './revise.ts'
import { integrateIntoSpec } from './revise-spec.ts'
import { specDocument } from './spec-document.ts'
import { takeSuggestions } from './suggestions.ts'
import { missingFromSpec, openLines } from './spec-text.ts'
import type { Invocation } from './invocation.ts'

/** Settles every open question: by the reviewer's answer, else by an assumption that says so. Other comments are acted on as well. */
export const clarify: Command = (input) => reworkSpec(input, true)

/**
 * The specification as it is, with the reviewer's comments acted on. With `settle_all` no question
 * stays open; without it, only those that a comment answers are settled.
 */
export async function reworkSpec(input: CommandInput, settle_all: boolean): Promise<Outcome> {
  const { invocation, date, findFile } = input
  const path = `${invocation.feature_directory}/spec.md`
  const description = readDescription(invocation.feature_description, invocation.feature_id)
  const found = await findFile(path)
  const before =
    found ??
    specDocument({ description, source: invocation.feature_description, feature_id: invocation.feature_id, date })
  const all = [...commentsOf(invocation.feedback), ...contextAnswers(invocation.additional_context)]
  // Before anything else, while the lines are those that the reviewer saw.
  const suggested = takeSuggestions(new Map([[path, before]]), all, (_, text) => missingFromSpec(text))
  const spec = suggested.documents.get(path) ?? before
  const comments = all.filter(({ replacement }) => replacement === null)
  const settled = settledBy(
    spec,
    comments,
    settle_all,
    new Map(openQuestions(description).map(({ ask, assume }) => [ask, assume])),
  )
  const answered = new Set(settled.map(({ comment }) => comment))
  const revised = revise({
    documents: new Map([[path, settle(spec, settled, date)]]),
    main: path,
    comments: comments.filter((comment) => !answered.has(comment)),
    attempt: invocation.attempt,
    date,
    integrate: integrateIntoSpec,
    objection: (_, text) =>
      settle_all && openLines(text).length > 0 ? 'an answer to a question' : missingFromSpec(text),
  })
  const content = revised.writes[0]?.content ?? settle(spec, settled, date)
  const open = openLines(content).flatMap(({ questions }) => questions)
  const others = revised.notes.length + suggested.taken.length
  const assumed = settled.filter((entry) => entry.assumed)
  return {
    reads: found === undefined ? [] : [path],
    steps: [
      {
        title: 'Read the specification and the comments',
        thought: `${settled.length} question${settled.length === 1 ? '' : 's'} to settle, ${others} other comment${others === 1 ? '' : 's'} to act on.`,
        writes: [],
      },
      {
        title: 'Bring the answers and changes into the specification',
        writes: content === found ? [] : [{ path, content }],
      },
      { title: 'Answer the reviewer', writes: [] },
    ],
    report: [
      ...(settled.length === 0
        ? ['No question was open.']
        : [
            'Settled:',
            '',
            ...settled.map(
              ({ question, answer, assumed: guess }) => `- ${question} → ${answer}${guess ? ' (my assumption)' : ''}`,
            ),
          ]),
      ...(revised.notes.length === 0 ? [] : ['', 'Comments:', '', ...revised.notes]),
    ].join('\n'),
    summary: `${settled.length} question${settled.length === 1 ? '' : 's'} settled, ${assumed.length} of them by assumption; ${others} comment${others === 1 ? '' : 's'} acted on.`,
    confidence: Math.max(30, 80 - 10 * assumed.length - 10 * open.length),
    open_questions: open,
    threads: [
      ...settled.flatMap(({ comment, question }) =>
        comment === null || comment.id === null
          ? []
          : [
              {
                id: comment.id,
                fate: 'addressed' as const,
                reply: `Taken as the answer to “${question}” and written into the requirement and under Clarifications.`,
              },
            ],
      ),
      ...suggested.threads,
      ...revised.threads,
    ],
  }
}

function settledBy(
  spec: string,
  comments: readonly ReviewComment[],
  settle_all: boolean,
  assumptions: ReadonlyMap<string, string>,
): Settled[] {
  const answers = answersIn(spec, comments)
  const questions = new Set(openLines(spec).flatMap(({ questions }) => questions))
  return [...questions].flatMap((question): Settled[] => {
    const comment = answers.get(question)
    if (comment !== undefined) return [{ question, answer: comment.text, assumed: false, comment }]
    return settle_all
      ? [
          {
            question,
            answer: assumptions.get(question) ?? 'the smallest reading that fits the rest of the specification',
            assumed: true,
            comment: null,
          },
        ]
      : []
  })
}

/** `answers` of the workflow's context: question → answer. */
function contextAnswers(context: Invocation['additional_context']): ReviewComment[] {
  const answers = context?.['answers']
  if (typeof answers !== 'object' || answers === null || Array.isArray(answers)) return []
  return Object.entries(answers).flatMap(([quote, text]) =>
    typeof text === 'string' && text.trim() !== ''
      ? [{ id: null, path: null, lines: null, quote, text, replacement: null }]
      : [],
  )
}
