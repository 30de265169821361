/**
 * Every fault test has two forms: `npm test` runs the short ones, `npm run chaos` the long ones, whose figures
 * stand in docs/reliability.md.
 */
const LONG_PERCENT = Number(process.env['CHAOS_PERCENT'] ?? 0)

/** How much is done: the short form's count, the long form's, or a part of that. */
export const scale = (short: number, long: number): number =>
  LONG_PERCENT === 0 ? short : Math.max(short, Math.round((long * LONG_PERCENT) / 100))

/** How long something may take: `npm test` runs on loaded machines, where only what hangs is a fault. */
export const limit = (loaded: number, quiet: number): number => (LONG_PERCENT === 0 ? loaded : quiet)

/** One line for docs/reliability.md. */
export function tell(label: string, figures: Record<string, number | string>): void {
  const text = Object.entries(figures).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? round(value) : value}`,
  )
  console.log(`${label}: ${text.join(', ')}`)
}

const round = (value: number) => Math.round(value * 100) / 100

/** The value below which so many percent of these lie. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN
}
