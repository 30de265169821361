import type { Phase, Workflow, WorkflowStatus, WorkflowType } from '@orchestrator/contract'

/** The four types in the order in which a feature goes through them. */
export const WORKFLOW_TYPE_ORDER = ['specify', 'plan', 'tasks', 'implement'] as const satisfies readonly WorkflowType[]

export const WORKFLOW_STATUS_ORDER = [
  'waiting_approval',
  'in_progress',
  'pending',
  'failed',
  'completed',
] as const satisfies readonly WorkflowStatus[]

export const TYPE_NAMES: Record<WorkflowType, string> = {
  specify: 'Specify',
  plan: 'Plan',
  tasks: 'Tasks',
  implement: 'Implement',
}

export const TYPE_PURPOSES: Record<WorkflowType, string> = {
  specify: 'What is to be built and why, as a specification',
  plan: 'How it is built: decisions, data, contracts',
  tasks: 'The work, cut into ordered tasks',
  implement: 'The code, task by task',
}

/** What a phase does, in a word: for tabs and steps. */
const PHASE_NAMES: Record<WorkflowType, Record<Phase, string>> = {
  specify: { phase_1: 'Write', phase_2: 'Clarify' },
  plan: { phase_1: 'Write', phase_2: 'Checklists' },
  tasks: { phase_1: 'Write', phase_2: 'Analyse' },
  implement: { phase_1: 'Build', phase_2: 'Converge' },
}

const PHASE_TITLES: Record<WorkflowType, Record<Phase, string>> = {
  specify: { phase_1: 'Write the specification', phase_2: 'Clarify what is open' },
  plan: { phase_1: 'Write the plan', phase_2: 'Draw up checklists' },
  tasks: { phase_1: 'Break down into tasks', phase_2: 'Analyse for consistency' },
  implement: { phase_1: 'Implement the tasks', phase_2: 'Converge with the specification' },
}

/** What a phase does, in a few words: for rows. */
export const phaseTitle = (type: WorkflowType, phase: Phase): string => PHASE_TITLES[type][phase]

export const phaseName = (type: WorkflowType, phase: Phase): string => PHASE_NAMES[type][phase]

export const nextType = (type: WorkflowType): WorkflowType | undefined =>
  WORKFLOW_TYPE_ORDER[WORKFLOW_TYPE_ORDER.indexOf(type) + 1]

const HEADLINE_LENGTH = 96

/** The first sentence or line of a description, short enough for a row. */
export function headline(description: string): string {
  const line = description.trim().split('\n', 1)[0] ?? ''
  const sentence = /^(.{12,}?[.!?])\s/.exec(line)?.[1]?.replace(/\.$/, '') ?? line
  return sentence.length <= HEADLINE_LENGTH ? sentence : `${sentence.slice(0, HEADLINE_LENGTH - 1).trimEnd()}…`
}

/** In an open service on one's own machine everybody is `local`; agents are `agent:name`. */
export const actorName = (actor: string): string => (actor === 'local' ? 'local user' : actor)

export const isActive = ({ status }: Workflow): boolean =>
  status === 'pending' || status === 'in_progress' || status === 'waiting_approval'
