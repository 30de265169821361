/**
 * Every fault test has two forms: `npm test` runs the short ones, `npm run chaos` the long ones, whose figures
 * stand in docs/reliability.md.
 */
const IS_LONG = process.env['CHAOS'] === 'long'

export const scale = (short: number, long: number): number => (IS_LONG ? long : short)

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
