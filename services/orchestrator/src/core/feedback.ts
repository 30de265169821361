import type { Comment, Feedback, GivenTick } from '@orchestrator/contract'

import type { Notes, TickRecord } from './note-store.ts'

/** What goes into the agent's hands after a review: the threads, and all of them as one readable text. */
export function feedbackOf(threads: readonly (Comment & { id: string })[], approved: boolean): Feedback | null {
  if (threads.length === 0)
    return approved
      ? null
      : {
          verdict: 'changes_requested',
          text: 'The reviewer sent this back without a comment. Look for what is weak and improve it.',
          threads: [],
        }
  return { verdict: approved ? 'approved' : 'changes_requested', text: textOf(threads), threads: [...threads] }
}

/** All of them, as a person or an agent reads them. */
export function textOf(threads: readonly Comment[]): string {
  return threads.map((thread) => `${placeOf(thread)}${thread.text}${proposalOf(thread)}`).join('\n\n')
}

/** A suggestion says what is to stand there, so that an agent which reads nothing but the text can take it over. */
function proposalOf({ replacement }: Comment): string {
  if (replacement === undefined) return ''
  return replacement === '' ? '\nProposed: remove these lines.' : `\nProposed in place of these lines:\n${replacement}`
}

/** With what was noted beside the verdict: answers also in the readable text, ticks for the hub alone. */
export function withNotes(feedback: Feedback | null, { answers, ticks }: Notes): Feedback | null {
  const given = answers.flatMap(({ answer, question, path, line, actor: by }) =>
    answer === null ? [] : [{ question, answer, path, line, by }],
  )
  if (given.length === 0) return withTicks(feedback, ticks)
  const told = given.map(({ question, answer }) => `${question === '' ? 'An open question' : question}\n→ ${answer}`)
  // That nothing was said of it is not so then.
  const said = feedback === null || feedback.threads.length === 0 ? [] : [feedback.text]
  const text = [...said, 'Answers to what was open:', ...told].join('\n\n')
  return withTicks({ ...feedback, text, threads: feedback?.threads ?? [], answers: given }, ticks)
}

export function withTicks(feedback: Feedback | null, ticks: readonly TickRecord[]): Feedback | null {
  if (ticks.length === 0) return feedback
  return { text: '', threads: [], ...feedback, ticks: ticks.map(givenTick) }
}

function givenTick({ path, label, ticked, actor: by, created_at: at }: TickRecord): GivenTick {
  return { path, label, ticked, by, at }
}

function placeOf({ path, lines, quote }: Comment): string {
  const where = [
    path,
    lines && (lines.start === lines.end ? `line ${lines.start}` : `lines ${lines.start} to ${lines.end}`),
  ]
    .filter((part) => part !== undefined)
    .join(', ')
  const about = quote === undefined ? where : `${where === '' ? 'on' : `${where}, on`} "${quote}"`
  return about === '' ? '' : `${about}: `
}
