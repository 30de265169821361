import type { Check } from '@orchestrator/contract'

import type { Command } from '../command.ts'
import { ANALYZE_RULES } from './analyze-rules.ts'
import { CHECKLIST_RULES } from './checklist-rules.ts'
import { CLARIFY_RULES } from './clarify-rules.ts'
import { CONVERGE_RULES } from './converge-rules.ts'
import { DOCUMENTS_ONLY, EVERY_PHASE_RULES } from './every-phase-rules.ts'
import { IMPLEMENT_RULES } from './implement-rules.ts'
import type { PhaseFiles } from './phase-files.ts'
import { PLAN_RULES } from './plan-rules.ts'
import { runRule, type Rule } from './rule.ts'
import { SPECIFY_RULES } from './specify-rules.ts'
import { TASKS_RULES } from './tasks-rules.ts'

/** What is checked after each command. */
export const RULES: Readonly<Record<Command, readonly Rule[]>> = {
  specify: [...SPECIFY_RULES, DOCUMENTS_ONLY, ...EVERY_PHASE_RULES],
  clarify: [...CLARIFY_RULES, DOCUMENTS_ONLY, ...EVERY_PHASE_RULES],
  plan: [...PLAN_RULES, DOCUMENTS_ONLY, ...EVERY_PHASE_RULES],
  checklist: [...CHECKLIST_RULES, DOCUMENTS_ONLY, ...EVERY_PHASE_RULES],
  tasks: [...TASKS_RULES, DOCUMENTS_ONLY, ...EVERY_PHASE_RULES],
  analyze: [...ANALYZE_RULES, ...EVERY_PHASE_RULES],
  implement: [...IMPLEMENT_RULES, ...EVERY_PHASE_RULES],
  converge: [...CONVERGE_RULES, ...EVERY_PHASE_RULES],
}

/** Errors first, then warnings, then what holds. */
export function runRules(command: Command, files: PhaseFiles): Check[] {
  const order = { error: 0, warning: 1, pass: 2 }
  return RULES[command].flatMap((rule) => runRule(rule, files)).toSorted((a, b) => order[a.level] - order[b.level])
}
