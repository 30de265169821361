import type { Attempt, Check } from '@orchestrator/contract'

import type { Anchor } from './draft.ts'

/** Something only a person can decide, and where the text asks it. */
export interface OpenQuestion {
  text: string
  path: string | null
  lines: Anchor['lines']
}

const ASKS = 'open-question'
const PREFIX = /^Open question:\s*/

/** The check that finds a `[NEEDS CLARIFICATION: …]` is a question to a person, not a fault of the file. */
export const isQuestion = ({ id }: Pick<Check, 'id'>): boolean => id.endsWith(ASKS)

/** Questions found in the files, then those the agent only told beside them. */
export function listOpenQuestions({
  checks,
  uncertainty_reasons,
}: Pick<Attempt, 'checks' | 'uncertainty_reasons'>): OpenQuestion[] {
  const in_files = checks.filter(isQuestion).map(({ message, path, line }) => ({
    text: message.replace(PREFIX, ''),
    path,
    lines: line === null ? null : { start: line, end: line },
  }))
  const told = uncertainty_reasons
    .filter((text) => !in_files.some((question) => question.text === text))
    .map((text) => ({ text, path: null, lines: null }))
  return [...in_files, ...told]
}
