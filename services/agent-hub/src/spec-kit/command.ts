import type { InvokeRequest, Phase, WorkflowType } from '@orchestrator/contract'

/** Spec Kit's commands that a phase can run. */
export const COMMANDS = [
  'specify',
  'clarify',
  'plan',
  'checklist',
  'tasks',
  'analyze',
  'implement',
  'converge',
] as const
export type Command = (typeof COMMANDS)[number]

const BY_PHASE: Readonly<Record<WorkflowType, Readonly<Record<Phase, Command>>>> = {
  specify: { phase_1: 'specify', phase_2: 'clarify' },
  plan: { phase_1: 'plan', phase_2: 'checklist' },
  tasks: { phase_1: 'tasks', phase_2: 'analyze' },
  implement: { phase_1: 'implement', phase_2: 'converge' },
}

/** The command that was named (`speckit.specify`), else the one that type and phase stand for. */
export function commandOf(request: InvokeRequest): Command {
  const named = request.parameters.command?.replace(/^speckit[.-]/, '')
  return COMMANDS.find((command) => command === named) ?? BY_PHASE[request.workflow_type][request.context.phase]
}
