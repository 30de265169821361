import type { RenderedDiff } from '@orchestrator/contract'

/** A requirement that binds less than it did, or that is gone. */
export interface Weakened {
  id: string
  /** `MUST`, `SHOULD`, `MAY`; after is null where the requirement is gone. */
  before: string
  after: string | null
  /** Where it stands now, or stood before what is there now. */
  line: number
}

/** A line that defines a requirement: `- **FR-007**: The system MUST …`. */
const DEFINITION = /^\s*(?:[-*+]|\d+\.)?\s*\*{0,2}((?:FR|NFR|SC)-\d{1,4})\b/
const WORDS = ['MAY', 'SHOULD', 'MUST'] as const
const SAME: Record<string, (typeof WORDS)[number]> = {
  SHALL: 'MUST',
  REQUIRED: 'MUST',
  RECOMMENDED: 'SHOULD',
  CAN: 'MAY',
}

interface Definition {
  id: string
  word: (typeof WORDS)[number]
  line: number
}

/** Requirements that came out of a rework weaker (RFC 2119), in their order; what grew or stayed is left out. */
export function weakenedIn(hunks: RenderedDiff['hunks']): Weakened[] {
  const before: Definition[] = []
  const after: Definition[] = []
  for (const hunk of hunks) {
    let line = hunk.new_start
    for (const text of hunk.lines) {
      const found = definitionIn(text.slice(1), line)
      if (found !== undefined && !text.startsWith('+')) before.push(found)
      if (found !== undefined && !text.startsWith('-')) after.push(found)
      if (!text.startsWith('-')) line++
    }
  }
  return before.flatMap((old): Weakened[] => {
    const now = after.find(({ id }) => id === old.id)
    if (now === undefined) return [{ id: old.id, before: old.word, after: null, line: old.line }]
    const weaker = WORDS.indexOf(now.word) < WORDS.indexOf(old.word)
    return weaker ? [{ id: old.id, before: old.word, after: now.word, line: now.line }] : []
  })
}

function definitionIn(text: string, line: number): Definition | undefined {
  const id = DEFINITION.exec(text)?.[1]
  const said = /\b(MUST|SHALL|REQUIRED|SHOULD|RECOMMENDED|MAY|CAN)\b/.exec(text)?.[1]
  if (id === undefined || said === undefined) return undefined
  const word = WORDS.find((each) => each === said) ?? SAME[said]
  return word && { id, word, line }
}
