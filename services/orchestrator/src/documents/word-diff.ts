import { diffArrays } from 'diff'

/** More edits than this are no comparison that a person would read, and would hold the service up. */
const EDITS_MAX = 600

/** A piece of text: a word with the blanks after it, or a sign. */
export const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{N}_]+\s*|[^\p{L}\p{N}_\s]\s*|\s+/gu) ?? []

export interface WordChange {
  kind: 'same' | 'added' | 'removed'
  words: string[]
}

/** How one list of words becomes another. Blanks do not count; a lone word that stayed between two changes goes with them. */
export function diffWords(before: readonly string[], after: readonly string[]): WordChange[] {
  const comparator = (one: string, other: string) => one.trim() === other.trim()
  const found = diffArrays([...before], [...after], { comparator, maxEditLength: EDITS_MAX })
  if (found === undefined)
    return [
      { kind: 'removed', words: [...before] },
      { kind: 'added', words: [...after] },
    ]
  const changes = found.map(({ added, removed, value }): WordChange => ({
    kind: added ? 'added' : removed ? 'removed' : 'same',
    words: value,
  }))
  return joined(changes)
}

const isLone = ({ kind, words }: WordChange): boolean => kind === 'same' && words.join('').trim().length <= 3

function joined(changes: readonly WordChange[]): WordChange[] {
  const result: WordChange[] = []
  let removed: string[] = []
  let added: string[] = []
  const flush = () => {
    if (removed.length > 0) result.push({ kind: 'removed', words: removed })
    if (added.length > 0) result.push({ kind: 'added', words: added })
    removed = []
    added = []
  }
  for (const [index, change] of changes.entries()) {
    const between = index > 0 && index < changes.length - 1
    if (change.kind === 'removed' || (between && isLone(change))) removed = [...removed, ...change.words]
    if (change.kind === 'added' || (between && isLone(change))) added = [...added, ...change.words]
    if (change.kind !== 'same' || (between && isLone(change))) continue
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
