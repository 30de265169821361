import type { SaveDraft } from '@orchestrator/contract'

/** As much as a quote may hold. */
const LENGTH_MAX = 10_000

/** The source of some lines; null where it is blank. */
export function sourceOf(text: string, lines: NonNullable<SaveDraft['lines']>): string | null {
  const source = text
    .split('\n')
    .slice(lines.start - 1, lines.end)
    .join('\n')
    .slice(0, LENGTH_MAX)
  return source.trim() === '' ? null : source
}
