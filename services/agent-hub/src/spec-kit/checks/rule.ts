import type { Check } from '@orchestrator/contract'

import type { PhaseFiles } from './phase-files.ts'

/** What a rule found. A rule that finds nothing tells a `pass` row, so that a reviewer sees that it was looked at. */
export interface Finding {
  level: 'error' | 'warning'
  message: string
  path?: string
  line?: number
}

export interface Rule {
  id: string
  /** What holds when nothing is found. */
  holds: string
  find: (files: PhaseFiles) => Finding[]
}

/** So that a hostile file cannot fill the review with rows. */
const FINDINGS_LIMIT = 25

export function runRule({ id, holds, find }: Rule, files: PhaseFiles): Check[] {
  const findings = find(files)
  if (findings.length === 0) return [{ id, level: 'pass', message: holds, path: null, line: null }]
  const shown = findings
    .slice(0, FINDINGS_LIMIT)
    .map(({ level, message, path, line }) => ({ id, level, message, path: path ?? null, line: line ?? null }))
  const rest = findings.length - shown.length
  const level = findings.slice(FINDINGS_LIMIT).some((finding) => finding.level === 'error') ? 'error' : 'warning'
  return rest === 0
    ? shown
    : [...shown, { id, level, message: `… and ${rest} more of the same kind.`, path: null, line: null }]
}

export const error = (message: string, path?: string, line?: number): Finding => finding('error', message, path, line)
export const warning = (message: string, path?: string, line?: number): Finding =>
  finding('warning', message, path, line)

const finding = (level: 'error' | 'warning', message: string, path?: string, line?: number): Finding => ({
  level,
  message,
  ...(path === undefined ? {} : { path }),
  ...(line === undefined ? {} : { line }),
})
