import type { Artifact, Check, JsonObject } from '@orchestrator/contract'

import { isQuestion } from '../review/is-question.ts'

/** What a list row tells of the latest finished phase, without asking for its attempts. */
export interface ResultSummary {
  errors: number
  warnings: number
  questions: number
  reading_minutes: number | null
}

const BYTES_PER_WORD = 6.5
const WORDS_PER_MINUTE = 220

/** `workflow.result` is free-form: fields that are not what they should be count as missing. */
export function summariseResult(result: JsonObject | null): ResultSummary {
  const checks = listOf<Check>(result, 'checks')
  const bytes = listOf<Artifact>(result, 'artifacts')
    .filter(({ path }) => /\.(md|markdown|txt)$/i.test(path))
    .reduce((sum, { size }) => sum + (typeof size === 'number' ? size : 0), 0)
  return {
    errors: checks.filter(({ level }) => level === 'error').length,
    warnings: checks.filter((check) => check.level === 'warning' && !isQuestion(check)).length,
    questions: checks.filter((check) => check.level !== 'pass' && isQuestion(check)).length,
    reading_minutes: bytes === 0 ? null : Math.max(1, Math.round(bytes / BYTES_PER_WORD / WORDS_PER_MINUTE)),
  }
}

function listOf<T extends object>(result: JsonObject | null, field: string): T[] {
  const value = result?.[field] ?? (isObject(result?.['data']) ? result['data'][field] : undefined)
  return Array.isArray(value) ? (value.filter(isObject) as object[] as T[]) : []
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
