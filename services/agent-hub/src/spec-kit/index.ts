import type { SpecKit } from '../core/ports.ts'
import { loadPhaseFiles } from './checks/phase-files.ts'
import { runRules } from './checks/registry.ts'
import { commandOf } from './command.ts'
import { countTasks } from './count-tasks.ts'
import { buildPrompt, buildRepairPrompt, buildResultPrompt } from './prompt.ts'
import { buildQuestionPrompt } from './question-prompt.ts'

/** What this service knows of Spec Kit: how its commands are put to an agent, and what their files must look like. */
export const createSpecKit = (): SpecKit => ({
  buildPrompt,
  buildRepairPrompt,
  buildResultPrompt,
  buildQuestionPrompt,
  countTasks,
  checkPhase: async (input) => runRules(commandOf(input.request), await loadPhaseFiles(input)),
})
