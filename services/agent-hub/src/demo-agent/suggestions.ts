import { shorten } from './clean-text.ts'
import { oneLine, type ReviewComment } from './comments.ts'
import type { ThreadAnswer } from './outcome.ts'

interface Suggested {
  documents: Map<string, string>
  threads: ThreadAnswer[]
  /** What was done with each, for the notes. */
  taken: { comment: ReviewComment; answer: ThreadAnswer }[]
}

/**
 * Puts every proposed text where the reviewer wants it, word for word, last lines first so that the numbers of the others
 * stay right. One that would break the document, or whose lines are not there, is declined with the reason.
 */
export function takeSuggestions(
  given: ReadonlyMap<string, string>,
  comments: readonly ReviewComment[],
  objection: (path: string, text: string) => string | undefined,
): Suggested {
  const documents = new Map(given)
  const taken = comments
    .filter(({ replacement }) => replacement !== null)
    .toSorted((one, other) => (other.lines?.start ?? 0) - (one.lines?.start ?? 0))
    .map((comment) => ({ comment, answer: answerTo(comment, documents, objection) }))
    .toReversed()
  return { documents, taken, threads: taken.flatMap(({ answer }) => (answer.id === '' ? [] : [answer])) }
}

function answerTo(
  { id, path, lines, replacement }: ReviewComment,
  documents: Map<string, string>,
  objection: (path: string, text: string) => string | undefined,
): ThreadAnswer {
  const declined = (reply: string): ThreadAnswer => ({ id: id ?? '', fate: 'declined', reply })
  const text = path === null ? undefined : documents.get(path)
  if (path === null || text === undefined)
    return declined(`This phase may not change ${path ?? 'that'}; it writes ${[...documents.keys()].join(', ')}.`)
  const all = text.split('\n')
  if (lines === null || lines.end > all.length) return declined(`${path} has only ${all.length} lines.`)
  const proposed = replacement === null || replacement === '' ? [] : replacement.replace(/\n$/, '').split('\n')
  const changed = all.toSpliced(lines.start - 1, lines.end - lines.start + 1, ...proposed).join('\n')
  const why = objection(path, changed)
  if (why !== undefined) return declined(`I left it as it was, because the document would be left without ${why}.`)
  documents.set(path, changed)
  const where = lines.start === lines.end ? `line ${lines.start}` : `lines ${lines.start} to ${lines.end}`
  const reply =
    proposed.length === 0
      ? `Removed ${where}, as suggested.`
      : `Took your wording for ${where}: “${shorten(oneLine(proposed.join(' ')), 120)}”.`
  return { id: id ?? '', fate: 'addressed', reply }
}
