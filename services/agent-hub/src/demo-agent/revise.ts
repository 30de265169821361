import { oneLine, readComment, type ReviewComment } from './comments.ts'
import { shorten, trimPunctuation } from './clean-text.ts'
import { appendToSection, asRead, findQuotedLine } from './markdown-edits.ts'
import type { FileWrite, ThreadAnswer } from './outcome.ts'
import { takeSuggestions } from './suggestions.ts'

/** What a comment changed in a document; `done` is a sentence for the reviewer. */
export interface Edit {
  text: string
  done: string
  /** Noted, but not done. */
  declined?: true
}

export interface Revision {
  /** Documents that this phase may change: path → text. */
  documents: ReadonlyMap<string, string>
  /** Takes what fits nowhere else, and the notes. */
  main: string
  comments: readonly ReviewComment[]
  attempt: number
  date: string
  /** How a wish that is neither a replacement nor a removal gets into the main document. */
  integrate: (text: string, comment: ReviewComment) => Edit
  /** Why a changed document would not do any more, or undefined. */
  objection: (path: string, text: string) => string | undefined
}

export interface Revised {
  writes: FileWrite[]
  threads: ThreadAnswer[]
  /** One line per comment. */
  notes: string[]
}

type Verdict =
  | { fate: 'addressed'; path: string; text: string; done: string; declined?: true }
  | { fate: 'declined'; why: string }

/** Acts on every comment in turn, and says of each what became of it. */
export function revise(revision: Revision): Revised {
  const { documents, threads, taken } = takeSuggestions(revision.documents, revision.comments, revision.objection)
  const notes = taken.map(({ comment, answer }) => noteOf(revision, comment, answer))
  for (const comment of revision.comments.filter(({ replacement }) => replacement === null)) {
    const verdict = checked(judge(comment, documents, revision), revision)
    const reply = verdict.fate === 'addressed' ? verdict.done : verdict.why
    if (verdict.fate === 'addressed') documents.set(verdict.path, verdict.text)
    const fate = verdict.fate === 'addressed' && verdict.declined !== true ? 'addressed' : 'declined'
    if (comment.id !== null) threads.push({ id: comment.id, fate, reply })
    notes.push(noteOf(revision, comment, { fate, reply }))
  }
  const main = documents.get(revision.main)
  if (main !== undefined)
    documents.set(
      revision.main,
      notes.reduce((text, note) => appendToSection(text, 'Review Notes', note), main),
    )
  const writes = [...documents]
    .filter(([path, text]) => text !== revision.documents.get(path))
    .map(([path, content]) => ({ path, content }))
  return { writes, threads, notes }
}

const noteOf = (
  { attempt, date }: Revision,
  comment: ReviewComment,
  { fate, reply }: Pick<ThreadAnswer, 'fate' | 'reply'>,
): string =>
  `- Attempt ${attempt}, ${date}: “${shorten(oneLine(comment.text), 160)}” – ${fate === 'addressed' ? oneLine(reply) : `not done: ${oneLine(reply)}`}`

function checked(verdict: Verdict, { objection }: Revision): Verdict {
  if (verdict.fate === 'declined') return verdict
  const why = objection(verdict.path, verdict.text)
  return why === undefined
    ? verdict
    : { fate: 'declined', why: `I left it as it was, because the document would be left without ${why}.` }
}

function judge(comment: ReviewComment, documents: ReadonlyMap<string, string>, { main, integrate }: Revision): Verdict {
  const path = comment.path ?? main
  const text = documents.get(path)
  if (text === undefined)
    return {
      fate: 'declined',
      why: `This phase may not change ${path}; it writes ${[...documents.keys()].join(', ')}.`,
    }
  const intent = readComment(comment)
  if (intent.kind === 'replace') {
    const places = comment.path === null ? [main, ...[...documents.keys()].filter((other) => other !== main)] : [path]
    for (const place of places) {
      const edit = replaceText(documents.get(place) ?? '', intent.from, intent.to, comment)
      if (edit !== undefined) return { fate: 'addressed', path: place, ...edit }
    }
    return { fate: 'declined', why: `I do not find “${shorten(oneLine(intent.from), 80)}” in ${places.join(', ')}.` }
  }
  if (intent.kind === 'remove') {
    const edit = removeText(text, intent.what ?? comment.quote, comment)
    return edit === undefined
      ? { fate: 'declined', why: `I do not find in ${path} what should be removed.` }
      : { fate: 'addressed', path, ...edit }
  }
  if (intent.kind === 'nothing') return { fate: 'declined', why: 'I read no wish for a change in this comment.' }
  return { fate: 'addressed', path: main, ...integrate(documents.get(main) ?? '', comment) }
}

/** Inside the quotation or the lines where the comment has them, else everywhere; capital letters are kept to where the wording allows it. */
function replaceText(text: string, from: string, to: string, { lines, quote }: ReviewComment): Edit | undefined {
  if (from === '') return undefined
  const all = text.split('\n')
  const quoted = quote === null ? undefined : findQuotedLine(text, quote)
  const within = quoted === undefined ? lines : { start: quoted + 1, end: quoted + 1 }
  let count = 0
  const changed = all.map((line, index) => {
    if (line.startsWith('>')) return line
    if (within !== null && (index + 1 < within.start || index + 1 > within.end)) return line
    const parts = line.split(from)
    count += parts.length - 1
    return parts.join(to)
  })
  if (count > 0)
    return {
      text: changed.join('\n'),
      done: `Replaced “${shorten(from, 80)}” with “${shorten(to, 80)}”${count === 1 ? '' : ` in ${count} places`}.`,
    }
  const line = within === null ? findQuotedLine(text, from) : within.start - 1
  const original = line === undefined ? undefined : all[line]
  if (line === undefined || original === undefined || asRead(original) === '') return undefined
  const at = original.toLowerCase().indexOf(from.toLowerCase())
  if (at !== -1) {
    const mended = original.slice(0, at) + to + original.slice(at + from.length)
    return {
      text: all.with(line, mended).join('\n'),
      done: `Replaced “${shorten(from, 80)}” with “${shorten(to, 80)}” in line ${line + 1}.`,
    }
  }
  if (!asRead(original).includes(asRead(from))) return undefined
  const lead = /^\s*(?:[-*]|\d+[.)])?\s*(?:\*\*[A-Z]+-\d+\*\*:)?\s*/.exec(original)?.[0] ?? ''
  return { text: all.with(line, `${lead}${to}`).join('\n'), done: `Line ${line + 1} now reads “${shorten(to, 80)}”.` }
}

/** The whole list item or line that holds it; of a running text only the words. */
function removeText(text: string, what: string | null, { lines, quote }: ReviewComment): Edit | undefined {
  const all = text.split('\n')
  if (what === null) {
    if (lines === null || lines.start > all.length) return undefined
    return {
      text: all.toSpliced(lines.start - 1, lines.end - lines.start + 1).join('\n'),
      done: `Removed lines ${lines.start} to ${lines.end}.`,
    }
  }
  const number = findQuotedLine(text, quote ?? what) ?? findQuotedLine(text, what)
  const line = number === undefined ? undefined : all[number]
  if (number === undefined || line === undefined) return undefined
  const whole = /^\s*(?:[-*]|\d+[.)]|>)\s/.test(line) || asRead(line) === asRead(what)
  const at = line.toLowerCase().indexOf(what.toLowerCase())
  if (whole || at === -1)
    return {
      text: all.toSpliced(number, 1).join('\n'),
      done: `Removed “${shorten(trimPunctuation(oneLine(line)), 120)}”.`,
    }
  const kept = `${line.slice(0, at)}${line.slice(at + what.length)}`.replace(/ {2,}/g, ' ')
  return { text: all.with(number, kept).join('\n'), done: `Removed “${shorten(oneLine(what), 120)}”.` }
}
