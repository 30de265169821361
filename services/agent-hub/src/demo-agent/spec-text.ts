/** What the other commands read out of a specification, whoever wrote it. */

export interface SpecStory {
  number: number
  title: string
  priority: string
}

export interface SpecReading {
  title: string | null
  stories: SpecStory[]
  requirements: { id: string; text: string }[]
  entities: string[]
}

export function readSpec(text: string): SpecReading {
  const lines = text.split('\n')
  return {
    title: /^# (?:Feature Specification: ?)?(.{1,200})$/.exec(lines[0] ?? '')?.[1]?.trim() ?? null,
    stories: lines.flatMap((line) => {
      const match = /^#{3,4} User Story (\d{1,3})\s*[-–—:]?\s*(.{0,200}?)\s*\(Priority: ?(P\d)\)/i.exec(line)
      return match === null ? [] : [{ number: Number(match[1]), title: match[2] ?? '', priority: match[3] ?? 'P3' }]
    }),
    requirements: lines.flatMap((line) => {
      const match = /^[-*] \*{0,2}(FR-\d{3,6})\*{0,2}:?\*{0,2}\s*(.{1,2000})$/.exec(line)
      return match === null ? [] : [{ id: match[1] ?? '', text: match[2] ?? '' }]
    }),
    entities: sectionLines(lines, /^### Key Entities/).flatMap(
      (line) => /^[-*] \*\*([^*]{1,60})\*\*/.exec(line)?.[1] ?? [],
    ),
  }
}

function sectionLines(lines: readonly string[], heading: RegExp): string[] {
  const from = lines.findIndex((line) => heading.test(line))
  if (from === -1) return []
  const next = lines.findIndex((line, index) => index > from && /^#{1,3} /.test(line))
  return lines.slice(from + 1, next === -1 ? undefined : next)
}

/** Lines with their number from 1, and the question of each marker on it. Quotations of the description hold none. */
export const openLines = (text: string): { number: number; questions: string[] }[] =>
  text.split('\n').flatMap((line, index) => {
    const questions = line.startsWith('>')
      ? []
      : [...line.matchAll(/\[NEEDS CLARIFICATION:?([^\]]{0,1000})/g)].map((match) => (match[1] ?? '').trim())
    return questions.length === 0 ? [] : [{ number: index + 1, questions }]
  })

/** Without these a specification is none; a comment is not acted on when it would take away the last of them. */
const NEEDED: readonly (readonly [what: string, pattern: RegExp])[] = [
  ['the heading User Scenarios & Testing', /^## User Scenarios & Testing/m],
  ['the heading Requirements', /^## Requirements/m],
  ['the heading Success Criteria', /^## Success Criteria/m],
  ['a user story with a priority', /^### User Story \d+ .*\(Priority: P\d/m],
  ['an acceptance scenario', /\*\*Given\*\*.*\*\*When\*\*.*\*\*Then\*\*/],
  ['a functional requirement', /^- \*\*FR-\d{3,}\*\*/m],
  ['a success criterion', /^- \*\*SC-\d{3,}\*\*/m],
]

export const missingFromSpec = (text: string): string | undefined =>
  NEEDED.find(([, pattern]) => !pattern.test(text))?.[0]
