/** A line of a document that a person reads: code blocks, HTML comments and escaped characters are blanked. */
export interface ProseLine {
  number: number
  text: string
}

/** Longer lines are cut: whatever is checked stands at the beginning of its line or close to it. */
const LINE_LIMIT = 20_000

/** All lines outside fenced code and comments. Linear in the size of the text. */
export function proseLines(text: string): ProseLine[] {
  const lines: ProseLine[] = []
  let fence: string | undefined
  let in_comment = false
  let number = 0
  for (const raw of text.split(/\r?\n/)) {
    number += 1
    const line = raw.length > LINE_LIMIT ? raw.slice(0, LINE_LIMIT) : raw
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1]
    if (fence !== undefined) {
      if (mark?.startsWith(fence) === true) fence = undefined
      continue
    }
    if (mark !== undefined && !in_comment) {
      fence = mark
      continue
    }
    const read = withoutComments(line, in_comment)
    in_comment = read.in_comment
    lines.push({ number, text: read.text.replace(/\\[!-/:-@[-`{-~]/g, '  ') })
  }
  return lines
}

function withoutComments(line: string, open: boolean): { text: string; in_comment: boolean } {
  let text = ''
  let at = 0
  let in_comment = open
  while (at < line.length) {
    const next = line.indexOf(in_comment ? '-->' : '<!--', at)
    if (!in_comment) text += line.slice(at, next === -1 ? undefined : next)
    if (next === -1) break
    at = next + (in_comment ? 3 : 4)
    in_comment = !in_comment
  }
  return { text, in_comment }
}

/** Inline code blanked too: `[NAME]` in backticks is a mention. */
export const withoutCode = (text: string): string => text.replace(/`[^`\n]*`/g, '')

/** Lines below a heading that begins with `title`, up to the next one of the same or a higher level; undefined without it. */
export function findSection(lines: readonly ProseLine[], title: string): ProseLine[] | undefined {
  const start = lines.findIndex(
    ({ text }) => headingOf(text)?.title.toLowerCase().startsWith(title.toLowerCase()) === true,
  )
  const level = headingOf(lines[start]?.text ?? '')?.level
  if (level === undefined) return undefined
  const end = lines.findIndex(({ text }, index) => index > start && (headingOf(text)?.level ?? 7) <= level)
  return lines.slice(start + 1, end === -1 ? undefined : end)
}

export function headingOf(text: string): { level: number; title: string } | undefined {
  const marks = /^(#{1,6})[ \t]/.exec(text)?.[1]
  return marks === undefined ? undefined : { level: marks.length, title: text.slice(marks.length).trim() }
}

const PLACEHOLDER = /\[(?:[A-Z#][A-Z0-9# _/,-]{2,60}|#{2,3}-[a-z-]{3,40})\](?![(:[])/
const TEMPLATE_WORDS =
  /\[(?:initial state|action|expected outcome|boundary condition|error scenario|specific capability|key interaction|data requirement|behavior|Brief Title|Describe |Explain |Entity \d|Measurable metric|Assumption about|e\.g\.,? |link)/
const NO_PLACEHOLDER = /^\[(?:NEEDS CLARIFICATION|TODO\]|RFC|ISO|US\d)/

/** Left over from a template: `[FEATURE NAME]`, `[###-feature-name]`, `$ARGUMENTS`. */
export function findPlaceholder(text: string): string | undefined {
  const prose = withoutCode(text)
  if (prose.includes('$ARGUMENTS')) return '$ARGUMENTS'
  const words = TEMPLATE_WORDS.exec(prose)?.[0]
  if (words !== undefined) return `${words}…`
  const found = PLACEHOLDER.exec(prose)?.[0]
  return found === undefined || NO_PLACEHOLDER.test(found) ? undefined : found
}
