import type { Phase, WorkflowType, WorkflowTypeDefinition } from '@orchestrator/contract'

/** The seed's four types with two phases each: data, so that a new type is a new row here and nothing else. */
export const WORKFLOW_DEFINITIONS: Readonly<Record<WorkflowType, WorkflowTypeDefinition>> = {
  specify: {
    workflow_type: 'specify',
    description: 'Generate feature specification',
    phases: [
      { phase: 'phase_1', command: 'speckit.specify', title: 'Write the specification' },
      { phase: 'phase_2', command: 'speckit.clarify', title: 'Clarify what is open' },
    ],
  },
  plan: {
    workflow_type: 'plan',
    description: 'Create implementation plan',
    phases: [
      { phase: 'phase_1', command: 'speckit.plan', title: 'Write the plan' },
      { phase: 'phase_2', command: 'speckit.checklist', title: 'Draw up checklists' },
    ],
  },
  tasks: {
    workflow_type: 'tasks',
    description: 'Generate task breakdown',
    phases: [
      { phase: 'phase_1', command: 'speckit.tasks', title: 'Break down into tasks' },
      { phase: 'phase_2', command: 'speckit.analyze', title: 'Analyse for consistency' },
    ],
  },
  implement: {
    workflow_type: 'implement',
    description: 'Execute implementation',
    phases: [
      { phase: 'phase_1', command: 'speckit.implement', title: 'Implement the tasks' },
      { phase: 'phase_2', command: 'speckit.converge', title: 'Converge with the specification' },
    ],
  },
}

/** Phases of a type, in order. */
export function phasesOf(type: WorkflowType): readonly Phase[] {
  return WORKFLOW_DEFINITIONS[type].phases.map((definition) => definition.phase)
}

/** The Spec Kit command that a phase is. */
export function commandOf(type: WorkflowType, phase: Phase): string {
  const definition = WORKFLOW_DEFINITIONS[type].phases.find((candidate) => candidate.phase === phase)
  if (definition === undefined) throw new RangeError(`${type} has no ${phase}`)
  return definition.command
}
