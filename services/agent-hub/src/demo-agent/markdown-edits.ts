/** Small edits of Markdown documents, by lines. */

/** The number after the highest `FR-nnn` (or `SC`, `CHK`, `T`) of a text, with three digits. */
export function nextNumber(text: string, prefix: string): string {
  let highest = 0
  for (const match of text.matchAll(new RegExp(`\\b${prefix}(\\d{3,6})\\b`, 'g')))
    highest = Math.max(highest, Number(match[1]))
  return String(highest + 1).padStart(3, '0')
}

/** Below the last line that matches; undefined where none does. */
export function insertAfterLast(
  text: string,
  pattern: RegExp,
  line: string,
  within: { from: number; to: number } = { from: 0, to: Infinity },
): string | undefined {
  const lines = text.split('\n')
  const at = lines.findLastIndex(
    (candidate, index) => index >= within.from && index < within.to && pattern.test(candidate),
  )
  if (at === -1) return undefined
  return lines.toSpliced(at + 1, 0, line).join('\n')
}

/** Lines from a heading to the next one of its level or above; undefined without it. Indexes count from 0, `to` is exclusive. */
export function sectionRange(text: string, heading: RegExp): { from: number; to: number } | undefined {
  const lines = text.split('\n')
  const from = lines.findIndex((line) => heading.test(line))
  const level = /^#+/.exec(lines[from] ?? '')?.[0].length
  if (level === undefined) return undefined
  const next = lines.findIndex((line, index) => index > from && (/^(#{1,6}) /.exec(line)?.[1]?.length ?? 7) <= level)
  return { from, to: next === -1 ? lines.length : next }
}

/** At the end of a section that begins with `## title`; the section is made at the end of the text, or before another one, where it is missing. */
export function appendToSection(text: string, title: string, line: string, before?: RegExp): string {
  const lines = text.trimEnd().split('\n')
  const range = sectionRange(lines.join('\n'), new RegExp(`^## ${title}$`))
  if (range === undefined) {
    const found = before === undefined ? -1 : lines.findIndex((candidate) => before.test(candidate))
    const at = found === -1 ? lines.length : found
    const section = at === lines.length ? ['', `## ${title}`, '', line] : [`## ${title}`, '', line, '']
    return `${lines.toSpliced(at, 0, ...section).join('\n')}\n`
  }
  let end = range.to
  while (end > range.from + 1 && lines[end - 1]?.trim() === '') end -= 1
  const gap = end === range.from + 1 || line.startsWith('#') || lines[end - 1]?.startsWith('#') === true ? [''] : []
  return `${lines.toSpliced(end, 0, ...gap, line).join('\n')}\n`
}

/** As a reader sees it: without marks, blanks collapsed. */
export const asRead = (text: string): string =>
  text
    .replace(/\\(?=[!-/:-@[-`{-~])/g, '')
    .replace(/[*_`#>]/g, '')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase()

/** Index of the line that a quotation comes from, raw or as it reads on screen. */
export function findQuotedLine(text: string, quote: string): number | undefined {
  const lines = text.split('\n')
  const wanted = asRead(quote.split('\n').find((line) => line.trim() !== '') ?? '')
  if (wanted === '') return undefined
  const at = lines.findIndex((line) => asRead(line).includes(wanted))
  return at === -1 ? undefined : at
}
