import { proseLines } from '@orchestrator/spec-kit'

import { error, warning, type Rule } from './rule.ts'

const SEVERITIES = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW'] as const

export const ANALYZE_RULES: readonly Rule[] = [
  {
    id: 'analyze-read-only',
    holds: 'No file was changed.',
    find: (files) =>
      files.changes.map(({ path, change }) =>
        error(`The analysis must change nothing, but this file was ${change}.`, path),
      ),
  },
  {
    id: 'analyze-findings',
    holds: 'The report names no finding.',
    find: (files) => {
      const found = countSeverities(files.closing)
      return SEVERITIES.filter((severity) => found[severity] > 0).map((severity) =>
        warning(`${found[severity]} finding${found[severity] === 1 ? '' : 's'} of severity ${severity}.`),
      )
    },
  },
]

/** One finding per table row or list item that names a severity; a legend that names several is none. */
function countSeverities(report: string): Record<(typeof SEVERITIES)[number], number> {
  const counts = { CRITICAL: 0, HIGH: 0, MEDIUM: 0, LOW: 0 }
  for (const line of proseLines(report)) {
    if (!/^\s{0,8}(?:\||[-*] |\d{1,3}[.)] )/.test(line.text)) continue
    const named = SEVERITIES.filter((severity) => new RegExp(`\\b${severity}\\b`).test(line.text))
    const [only] = named
    if (only !== undefined && named.length === 1 && !isCount(line.text)) counts[only] += 1
  }
  return counts
}

/** `- HIGH: 2` sums up what the table has told already. */
const isCount = (text: string): boolean =>
  /^\s{0,8}[-*|]\s{0,4}\**(?:CRITICAL|HIGH|MEDIUM|LOW)\**\s{0,4}[:|]\s{0,4}\**\d{1,4}\b/.test(text)
