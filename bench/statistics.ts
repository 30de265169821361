/** The value below which `share` (0 to 1) of the samples lie. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export function median(samples: readonly number[]): number {
  return percentile(samples, 0.5)
}

/** One line of a result: what was measured, the figure, the target and whether it holds. Answers whether it holds. */
export function report(
  name: string,
  figure: number,
  unit: string,
  target: { at_most: number } | { at_least: number },
): boolean {
  const holds = 'at_most' in target ? figure <= target.at_most : figure >= target.at_least
  const aim = 'at_most' in target ? `≤ ${target.at_most}` : `≥ ${target.at_least}`
  console.log(`${holds ? '✓' : '✗'} ${name}: ${Number(figure.toPrecision(4))} ${unit} (target ${aim})`)
  return holds
}
