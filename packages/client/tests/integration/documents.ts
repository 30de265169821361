import type {
  Attempt,
  Feature,
  FeatureDetail,
  HistoryItem,
  StreamEvent,
  Transition,
  Workflow,
} from '@orchestrator/contract'
import {
  attemptSchema,
  featureDetailSchema,
  featureSchema,
  historyItemSchema,
  streamEventSchema,
  transitionSchema,
  workflowSchema,
} from '@orchestrator/contract'

const created_at = '2026-01-31T12:00:00.000Z'
export const workflow_id = '0b0e7f5e-6f5f-4a53-9d5c-0a2b3c4d5e6f'
export const digest = 'a'.repeat(64)

export const workflow: Workflow = workflowSchema.parse({
  id: workflow_id,
  workflow_type: 'specify',
  status: 'waiting_approval',
  feature_id: '001-sign-in',
  feature_description: 'Sign in with OAuth2',
  current_phase: 'phase_1',
  context: { priority: 'P1' },
  result: null,
  error: null,
  created_at,
  updated_at: created_at,
  completed_at: null,
  workspace: 'default',
  agent: null,
  model: null,
  retry_of: null,
  created_by: 'local',
  attempt: null,
})

const transition: Transition = transitionSchema.parse({
  id: '5b0e7f5e-6f5f-4a53-9d5c-0a2b3c4d5e6f',
  workflow_id,
  from_status: 'pending',
  to_status: 'in_progress',
  trigger: 'start',
  metadata: null,
  created_at,
  sequence: 1,
  actor: 'orchestrator',
  phase: 'phase_1',
  attempt: 1,
  digest: null,
})

/** As the history tells it. */
export const history_item: HistoryItem = historyItemSchema.parse({
  ...transition,
  key_id: null,
  request_id: null,
  address: null,
  hash: digest,
  words_erased: false,
})

export const attempt: Attempt = attemptSchema.parse({
  id: '6b0e7f5e-6f5f-4a53-9d5c-0a2b3c4d5e6f',
  number: 1,
  state: 'succeeded',
  reason: null,
  tries: 1,
  next_retry_at: null,
  digest,
  workflow_id,
  phase: 'phase_1',
  agent: 'demo',
  invocation_id: null,
  session_id: null,
  confidence: 80,
  output: 'Wrote spec.md',
  uncertainty_reasons: [],
  artifacts: [{ path: 'specs/001-sign-in/spec.md', digest, size: 12, media_type: 'text/markdown' }],
  checks: [],
  usage: null,
  created_at,
  started_at: created_at,
  finished_at: created_at,
  review: null,
})

export const feature: Feature = featureSchema.parse({
  id: '001-sign-in',
  workspace: 'default',
  description: 'Sign in with OAuth2',
  created_at,
  updated_at: created_at,
})

export const feature_detail: FeatureDetail = featureDetailSchema.parse({
  ...feature,
  workflows: [workflow],
  artifacts: [],
  budget: {
    name: 'feature:001-sign-in',
    spent_usd: 0,
    limit_usd: null,
    state: 'free',
    lifted_at: null,
    lifted_by: null,
    reason: null,
  },
  coverage: { requirements: [], stories: [], tasks: { total: 0, ticked: 0 } },
  totals: { attempts: 1, agent_seconds: 2.5, input_tokens: null, output_tokens: null, cost_usd: null },
})

export const eventOf = (sequence: number): StreamEvent =>
  streamEventSchema.parse({
    sequence,
    workflow_id,
    created_at,
    type: 'workflow.transition',
    data: { ...transition, sequence },
  })

/** The event as the service writes it into a stream. */
export const frameOf = (sequence: number): string =>
  `id: ${sequence}\nevent: workflow.transition\ndata: ${JSON.stringify(eventOf(sequence))}\n\n`
