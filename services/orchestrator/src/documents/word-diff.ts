import { diffArrays } from 'diff'

/** More edits than this are no comparison that a person would read, and would hold the service up. */
const EDITS_MAX = 600

/** A piece of text: a word with the blanks after it, or a sign. */
export const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{N}_]+\s*|[^\p{L}\p{N}_\s]\s*|\s+/gu) ?? []

export interface WordChange {
  kind: 'same' | 'added' | 'removed'
  /** As the older text has them, and as the newer: what is the same may have other blanks after it. */
  before: string[]
  after: string[]
}

/** How one list of words becomes another. Blanks do not count; a lone word that stayed between two changes goes with them. */
export function diffWords(before: readonly string[], after: readonly string[]): WordChange[] {
  const comparator = (one: string, other: string) => one.trim() === other.trim()
  const found = diffArrays([...before], [...after], { comparator, maxEditLength: EDITS_MAX })
  if (found === undefined) return replaced([...before], [...after])
  let old_at = 0
  let at = 0
  const changes = found.map(({ added, removed, count }): WordChange => {
    const kind = added ? 'added' : removed ? 'removed' : 'same'
    const old_words = kind === 'added' ? [] : before.slice(old_at, old_at + count)
    const words = kind === 'removed' ? [] : after.slice(at, at + count)
    old_at += old_words.length
    at += words.length
    return { kind, before: old_words, after: words }
  })
  return joined(changes)
}

const replaced = (before: string[], after: string[]): WordChange[] => [
  ...(before.length === 0 ? [] : [{ kind: 'removed' as const, before, after: [] }]),
  ...(after.length === 0 ? [] : [{ kind: 'added' as const, before: [], after }]),
]

const isLone = ({ kind, after }: WordChange): boolean => kind === 'same' && after.join('').trim().length <= 3

function joined(changes: readonly WordChange[]): WordChange[] {
  const result: WordChange[] = []
  let before: string[] = []
  let after: string[] = []
  const flush = () => {
    result.push(...replaced(before, after))
    before = []
    after = []
  }
  for (const [index, change] of changes.entries()) {
    const isBetween = index > 0 && index < changes.length - 1
    if (change.kind !== 'same' || (isBetween && isLone(change))) {
      before = [...before, ...change.before]
      after = [...after, ...change.after]
      continue
    }
    flush()
    result.push(change)
  }
  flush()
  return result
}

/** From 0 to 1: the share of words that two texts have in common. */
export function similarity(before: readonly string[], after: readonly string[]): number {
  const left = new Map<string, number>()
  for (const word of before) left.set(word.trim(), (left.get(word.trim()) ?? 0) + 1)
  let shared = 0
  for (const word of after) {
    const count = left.get(word.trim()) ?? 0
    if (count === 0) continue
    left.set(word.trim(), count - 1)
    shared++
  }
  return before.length + after.length === 0 ? 1 : (2 * shared) / (before.length + after.length)
}
