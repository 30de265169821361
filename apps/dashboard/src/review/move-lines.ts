import type { RenderedDiff, SaveDraft } from '@orchestrator/contract'

type Lines = NonNullable<SaveDraft['lines']>

/** Where lines of the older text stand in the newer; undefined where any of them changed, or nobody can tell. */
export function moveLines(lines: Lines, diff: Pick<RenderedDiff, 'kind' | 'hunks' | 'added_lines'>): Lines | undefined {
  if (diff.kind === 'unreadable' || !isWhole(diff)) return undefined
  let by = 0
  for (const hunk of diff.hunks) {
    // The place in the older text; a line that came stands before it.
    let at = hunk.old_start
    for (const line of hunk.lines) {
      const came = line.startsWith('+')
      const touches = came ? at > lines.start && at <= lines.end : at >= lines.start && at <= lines.end
      if (touches && !line.startsWith(' ')) return undefined
      if (came && at <= lines.start) by++
      if (line.startsWith('-') && at < lines.start) by--
      if (!came) at++
    }
  }
  return { start: lines.start + by, end: lines.end + by }
}

/** A comparison of very many changes tells only the first of them. */
const isWhole = ({ hunks, added_lines }: Pick<RenderedDiff, 'hunks' | 'added_lines'>): boolean =>
  hunks.reduce((sum, { lines }) => sum + lines.filter((line) => line.startsWith('+')).length, 0) === added_lines
