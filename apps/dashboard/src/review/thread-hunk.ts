import type { RenderedDiff, Thread } from '@orchestrator/contract'

type Hunk = RenderedDiff['hunks'][number]

const significant = (text: string): Set<string> =>
  new Set(
    text
      .toLowerCase()
      .match(/[\p{L}\p{N}-]{4,}/gu)
      ?.filter((word) => !COMMON.has(word)) ?? [],
  )
const COMMON = new Set(
  'this that with from must should have will what when which into there their only also'.split(' '),
)
/** Fewer words in common than this may be chance. */
const SHARED_MIN = 2

/** Where a comment was acted on: the change at its own lines, else the one that shares most words with it and its answer. */
export function hunkOf(
  thread: Pick<Thread, 'lines' | 'text' | 'reply' | 'replacement'>,
  hunks: readonly Hunk[],
): Hunk | undefined {
  const words = significant([thread.text, thread.reply, thread.replacement].join(' '))
  const ranked = hunks
    .map((hunk) => ({ hunk, near: touches(hunk, thread.lines), shared: sharedWords(hunk, words) }))
    .toSorted((one, other) => Number(other.near) - Number(one.near) || other.shared - one.shared)
  const [best] = ranked.toSorted((one, other) => other.shared - one.shared)
  const [first] = ranked
  if (first === undefined || best === undefined) return undefined
  // Words that speak of another place weigh more than what happened to change beside the lines.
  if (first.near && first.shared * 2 >= best.shared) return first.hunk
  return best.shared >= SHARED_MIN ? best.hunk : first.near ? first.hunk : undefined
}

/** Whether lines that went, or the place where lines came, lie within these. */
function touches({ old_start, lines }: Hunk, range: Thread['lines']): boolean {
  if (range === null) return false
  let line = old_start
  for (const text of lines) {
    if (!text.startsWith(' ') && line >= range.start && line <= range.end + 1) return true
    if (!text.startsWith('+')) line++
  }
  return false
}

const sharedWords = ({ lines }: Hunk, words: ReadonlySet<string>): number =>
  [...significant(lines.filter((line) => line.startsWith('+')).join('\n'))].filter((word) => words.has(word)).length
