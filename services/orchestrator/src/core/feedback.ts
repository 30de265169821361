import type { Comment, Feedback } from '@orchestrator/contract'

/** What goes into the agent's hands after a review: the threads, and all of them as one readable text. */
export function feedbackOf(threads: readonly (Comment & { id: string })[], approved: boolean): Feedback | null {
  if (threads.length === 0)
    return approved
      ? null
      : { text: 'The reviewer sent this back without a comment. Look for what is weak and improve it.', threads: [] }
  const text = threads.map((thread) => `${placeOf(thread)}${thread.text}`).join('\n\n')
  return { text, threads: [...threads] }
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
