import type { CreateWorkflow, FeatureId, WorkflowType } from '@orchestrator/contract'

import { WORKFLOW_TYPE_ORDER } from './words.ts'

export interface ContextPair {
  name: string
  value: string
}

/** The form of a new workflow as it is kept between reloads; empty texts stand for what was not chosen. */
export interface WorkflowForm {
  workflow_type: WorkflowType
  description: string
  feature_id: string
  workspace: string
  agent: string
  model: string
  context: ContextPair[]
}

export const emptyForm: WorkflowForm = {
  workflow_type: 'specify',
  description: '',
  feature_id: '',
  workspace: '',
  agent: '',
  model: '',
  context: [],
}

/** The contract's `FEATURE_DESCRIPTION_MIN`; its module would bring the validator into the browser. */
const SHORTEST_DESCRIPTION = 10

/** Reads a kept form; one of an older version of the page loses only what it does not know. */
export function readForm(stored: string | null): WorkflowForm {
  if (stored === null) return emptyForm
  const kept = JSON.parse(stored) as Partial<WorkflowForm>
  return {
    workflow_type: WORKFLOW_TYPE_ORDER.find((type) => type === kept.workflow_type) ?? 'specify',
    description: kept.description ?? '',
    feature_id: kept.feature_id ?? '',
    workspace: kept.workspace ?? '',
    agent: kept.agent ?? '',
    model: kept.model ?? '',
    context: kept.context ?? [],
  }
}

/** What is wrong with the description, or null. A continued feature has one already. */
export function missingDescription({ description, feature_id }: WorkflowForm): string | null {
  const { length } = description.trim()
  if (length === 0 && feature_id !== '') return null
  if (length >= SHORTEST_DESCRIPTION) return null
  const missing = SHORTEST_DESCRIPTION - length
  return `${missing} more ${missing === 1 ? 'character' : 'characters'}`
}

/** The body of `POST /workflows`. */
export function toRequest(form: WorkflowForm): CreateWorkflow {
  const { workflow_type, description, feature_id, workspace, agent, model, context } = form
  const pairs = context.filter(({ name }) => name.trim() !== '')
  const text = description.trim()
  return {
    workflow_type,
    ...(text !== '' && { feature_description: text }),
    ...(feature_id !== '' && { feature_id: feature_id as FeatureId }),
    // A feature stays where it is.
    ...(workspace !== '' && feature_id === '' && { workspace }),
    ...(agent !== '' && { agent }),
    ...(model.trim() !== '' && { model: model.trim() }),
    ...(pairs.length > 0 && { context: Object.fromEntries(pairs.map(({ name, value }) => [name.trim(), value])) }),
  }
}
