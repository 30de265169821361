import { shorten } from './clean-text.ts'
import { oneLine, type ReviewComment } from './comments.ts'
import { appendToSection, asRead, sectionRange } from './markdown-edits.ts'
import { openLines } from './spec-text.ts'

export interface Settled {
  question: string
  answer: string
  /** Nobody answered; the answer is an assumption. */
  assumed: boolean
  comment: ReviewComment | null
}

const ANSWER_LIMIT = 400

/** The comments that answer an open question of the specification, each with its question. */
export function answersIn(spec: string, comments: readonly ReviewComment[]): Map<string, ReviewComment> {
  const open = openLines(spec).flatMap(({ questions, number }) =>
    questions.map((question) => ({ question, line: number })),
  )
  const answers = new Map<string, ReviewComment>()
  for (const comment of comments) {
    const free = open.filter(({ question }) => !answers.has(question))
    const numbered = /^(?:q(?:uestion)? ?)?(\d)\s?[:.)]/i.exec(comment.text.trim())?.[1]
    const found =
      free.find(({ question }) => comment.quote !== null && isSame(question, comment.quote)) ??
      free.find(
        ({ line }) =>
          comment.lines !== null &&
          comment.lines.start <= line &&
          line <= comment.lines.end &&
          (comment.path ?? 'spec.md').endsWith('spec.md'),
      ) ??
      (numbered === undefined
        ? undefined
        : free.find(({ question }) => question === open[Number(numbered) - 1]?.question)) ??
      free.find(({ question }) => sharesWords(question, comment.text))
    if (found !== undefined) answers.set(found.question, comment)
  }
  return answers
}

const isSame = (question: string, quote: string): boolean => {
  const [one, other] = [asRead(question), asRead(quote)]
  return (
    other.length > 12 &&
    (other.includes(one) || one.includes(other.replace(/^\[?needs clarification:?\s*/, '').replace(/\]?$/, '')))
  )
}

/** Most words of a short question stand in the answer: `Only people who are signed in may upload photos`. */
function sharesWords(question: string, text: string): boolean {
  const words = new Set(asRead(question).match(/[\p{L}\p{N}]{4,}/gu) ?? [])
  const told = new Set(asRead(text).match(/[\p{L}\p{N}]{4,}/gu) ?? [])
  const shared = [...words].filter((word) => told.has(word)).length
  return words.size > 0 && shared >= 2 && shared >= words.size / 2
}

/** Puts each answer into the requirement that asked, and records it under `## Clarifications`. */
export function settle(spec: string, settled: readonly Settled[], date: string): string {
  let text = spec
  for (const { question, answer, assumed } of settled) {
    const words = answerText(answer)
    const open = openLines(text).find(({ questions }) => questions.includes(question))
    if (open !== undefined) {
      const lines = text.split('\n')
      const line = lines[open.number - 1] ?? ''
      const begin = line.indexOf('[NEEDS CLARIFICATION')
      const end = line.indexOf(']', begin)
      const clarified = `${assumed ? 'Assumed' : 'Clarified'}: ${words}.`
      lines[open.number - 1] = `${line.slice(0, begin)}${clarified}${end === -1 ? '' : line.slice(end + 1)}`
      text = lines.join('\n')
    }
    const session = `### Session ${date}`
    const before = /^## User Scenarios/
    if (sectionRange(text, new RegExp(`^${session}$`)) === undefined)
      text = appendToSection(text, 'Clarifications', session, before)
    text = appendToSection(
      text,
      'Clarifications',
      `- Q: ${question} → A: ${words}${assumed ? ' (assumed; nobody answered)' : ''}.`,
      before,
    )
  }
  return text
}

/** One line without markup, so that an answer cannot open a new question or a heading. */
const answerText = (answer: string): string =>
  shorten(
    oneLine(answer)
      .replace(/^(?:q(?:uestion)? ?)?\d\s?[:.)]\s*/i, '')
      .replace(/[\s.]+$/, ''),
    ANSWER_LIMIT,
  ) || 'no answer in words'
