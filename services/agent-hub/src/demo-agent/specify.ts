import { reworkSpec } from './clarify.ts'
import { commentsOf } from './comments.ts'
import { openQuestions } from './open-questions.ts'
import type { Command } from './outcome.ts'
import { readDescription } from './read-description.ts'
import { requirementsChecklist } from './checklist-document.ts'
import { specDocument } from './spec-document.ts'

/** `spec.md` and its first checklist; with feedback, the present specification is reworked. */
export const specify: Command = async (input) => {
  const { invocation, date } = input
  const path = `${invocation.feature_directory}/spec.md`
  if (commentsOf(invocation.feedback).length > 0 && (await input.findFile(path)) !== undefined)
    return reworkSpec(input, false)
  const { feature_directory, feature_description, feature_id } = invocation
  const description = readDescription(feature_description, feature_id)
  const questions = openQuestions(description).map(({ ask }) => ask)
  const stories = description.actions.map(({ verb, object }) => `${verb} ${object}`.trim())
  return {
    reads: [],
    steps: [
      {
        title: 'Read the description',
        thought: `It is about “${description.subject}”. I find ${stories.length === 1 ? 'one action' : `${stories.length} actions`}: ${stories.join('; ')}.`,
        writes: [],
      },
      {
        title: 'Write the specification',
        writes: [
          {
            path,
            content: specDocument({ description, source: feature_description, feature_id, date }),
          },
        ],
      },
      {
        title: 'Prepare the checklist for the reviewer',
        thought: 'I tick nothing: that is for the person who reviews.',
        writes: [
          {
            path: `${feature_directory}/checklists/requirements.md`,
            content: requirementsChecklist(description.title, date),
          },
        ],
      },
    ],
    report: [
      `I wrote the specification of “${description.title}” from the words of the description.`,
      '',
      `${questions.length === 1 ? 'One question is' : `${questions.length} questions are`} open, because only a person can decide:`,
      '',
      ...questions.map((question, index) => `${index + 1}. ${question}`),
    ].join('\n'),
    summary: `Specification of “${description.title}” written, with ${questions.length} open question${questions.length === 1 ? '' : 's'}.`,
    confidence: description.understood === 'words' ? 60 : 25,
    open_questions: questions,
    threads: [],
  }
}
