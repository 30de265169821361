import * as z from 'zod'

import { approvalsSchema } from './approval.ts'
import { attemptSummarySchema } from './attempt.ts'
import {
  digestSchema,
  featureIdSchema,
  modelNameSchema,
  nameSchema,
  pageOf,
  timestampSchema,
  workflowIdSchema,
} from './ids.ts'
import { reviewResultSchema } from './review.ts'

export const WORKFLOW_TYPES = ['specify', 'plan', 'tasks', 'implement'] as const
export type WorkflowType = (typeof WORKFLOW_TYPES)[number]

export const WORKFLOW_STATUSES = ['pending', 'in_progress', 'waiting_approval', 'completed', 'failed'] as const
export type WorkflowStatus = (typeof WORKFLOW_STATUSES)[number]

export const PHASES = ['phase_1', 'phase_2'] as const
export type Phase = (typeof PHASES)[number]

/** The seed's triggers. `start` is the service's own: nobody may post it. */
export const TRIGGERS = ['start', 'agent_complete', 'error', 'human_approved', 'human_rejected'] as const
export type Trigger = (typeof TRIGGERS)[number]

export const POSTED_TRIGGERS = ['agent_complete', 'error', 'human_approved', 'human_rejected'] as const
export type PostedTrigger = (typeof POSTED_TRIGGERS)[number]

export const FEATURE_DESCRIPTION_MIN = 10
export const FEATURE_DESCRIPTION_MAX = 20_000

/** Free-form JSON object. */
export const jsonObjectSchema = z.record(z.string(), z.json())
export type JsonObject = z.infer<typeof jsonObjectSchema>

/** One run of one type for one feature: the seed's columns by name, and ours after them. */
export const workflowSchema = z
  .object({
    id: workflowIdSchema,
    workflow_type: z.enum(WORKFLOW_TYPES),
    status: z.enum(WORKFLOW_STATUSES),
    feature_id: featureIdSchema,
    feature_description: z.string(),
    current_phase: z.enum(PHASES).nullable(),
    context: jsonObjectSchema.nullable(),
    result: jsonObjectSchema.nullable().describe('What the latest finished phase produced; never a reviewer’s body'),
    error: z.string().nullable().describe('Why it failed and what to do, in a sentence'),
    created_at: timestampSchema,
    updated_at: timestampSchema,
    completed_at: timestampSchema.nullable(),
    workspace: nameSchema,
    agent: nameSchema.nullable().describe('The agent named for this workflow; null leaves it to the settings'),
    model: modelNameSchema.nullable().describe('The model named for this workflow; null leaves it to the settings'),
    retry_of: workflowIdSchema.nullable(),
    created_by: z.string(),
    attempt: attemptSummarySchema.nullable().describe('The current attempt'),
    approvals: approvalsSchema
      .optional()
      .describe('While it waits for a review, in answers about it and lists: who approved, and who is still needed'),
  })
  .meta({ id: 'Workflow' })
export type Workflow = z.infer<typeof workflowSchema>

/** Body of `POST /workflows`. The description may be left out only when `feature_id` continues a feature. */
export const createWorkflowSchema = z
  .strictObject({
    workflow_type: z.enum(WORKFLOW_TYPES),
    feature_description: z
      .string()
      .min(FEATURE_DESCRIPTION_MIN, {
        error: `must be at least ${FEATURE_DESCRIPTION_MIN} characters long`,
        abort: true,
      })
      .max(FEATURE_DESCRIPTION_MAX, `must be at most ${FEATURE_DESCRIPTION_MAX} characters long`)
      .refine(
        (text) => text.trim().length >= FEATURE_DESCRIPTION_MIN,
        `must hold at least ${FEATURE_DESCRIPTION_MIN} characters besides blanks`,
      )
      .optional()
      .describe('What is to be built, in a sentence or more. Inherited when `feature_id` is given'),
    context: jsonObjectSchema.optional().describe('Anything the agent should know, such as {"priority": "P1"}'),
    feature_id: featureIdSchema.optional().describe('Continue this feature'),
    workspace: nameSchema.optional(),
    agent: nameSchema.optional(),
    model: modelNameSchema
      .optional()
      .describe('The model that the agent works with; left out, that of the settings, else the agent’s own'),
  })
  .refine((body) => body.feature_id !== undefined || body.feature_description !== undefined, {
    path: ['feature_description'],
    message: 'is required unless feature_id continues a feature',
  })
  .meta({ id: 'CreateWorkflow' })
export type CreateWorkflow = z.infer<typeof createWorkflowSchema>

/** Body of `POST /workflows/{id}/advance`. */
export const advanceWorkflowSchema = z
  .strictObject({
    trigger: z.enum(POSTED_TRIGGERS),
    phase_result: reviewResultSchema.optional(),
  })
  .meta({ id: 'AdvanceWorkflow' })
export type AdvanceWorkflow = z.infer<typeof advanceWorkflowSchema>

export const cancelWorkflowSchema = z
  .strictObject({ reason: z.string().min(1).max(2000).optional() })
  .meta({ id: 'CancelWorkflow' })
export type CancelWorkflow = z.infer<typeof cancelWorkflowSchema>

/** One row of `workflow_history`: the seed's columns, and who, which attempt, what was seen. */
export const transitionSchema = z
  .object({
    id: z.uuid(),
    workflow_id: workflowIdSchema,
    from_status: z.enum(WORKFLOW_STATUSES),
    to_status: z.enum(WORKFLOW_STATUSES),
    trigger: z.enum(TRIGGERS),
    metadata: jsonObjectSchema.nullable(),
    created_at: timestampSchema,
    sequence: z.int().describe('Order over all workflows; also the id of the event of this transition'),
    actor: z.string(),
    phase: z.enum(PHASES).nullable(),
    attempt: z.int().nullable(),
    digest: digestSchema.nullable().describe('Digest of the attempt that was decided on'),
  })
  .meta({ id: 'Transition' })
export type Transition = z.infer<typeof transitionSchema>

/** A transition as the history tells it: also by which key, in which request, from where, and its link of the chain. */
export const historyItemSchema = transitionSchema
  .extend({
    key_id: z.string().nullable().describe('Null where nobody showed a key'),
    request_id: z.string().nullable(),
    address: z.string().nullable(),
    hash: z.string().describe('SHA-256 over this row and the one before it'),
    words_erased: z.boolean().describe('What a person wrote was erased; that it was there is still known'),
  })
  .meta({ id: 'HistoryItem' })
export type HistoryItem = z.infer<typeof historyItemSchema>

export const listWorkflowsQuerySchema = z.strictObject({
  status: z.enum(WORKFLOW_STATUSES).optional(),
  workflow_type: z.enum(WORKFLOW_TYPES).optional(),
  feature_id: featureIdSchema.optional(),
  q: z.string().min(1).max(200).optional().describe('Text in the description or the feature’s name'),
  cursor: z.string().max(200).optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'must be a whole number from 1 to 200')
    .transform(Number)
    .pipe(z.int().min(1).max(200))
    .optional(),
})
export type ListWorkflowsQuery = z.infer<typeof listWorkflowsQuerySchema>

export const workflowPageSchema = pageOf(workflowSchema).meta({ id: 'WorkflowPage' })
export type WorkflowPage = z.infer<typeof workflowPageSchema>
export const historyPageSchema = pageOf(historyItemSchema).meta({ id: 'HistoryPage' })

/** What `GET /workflow-types` tells: the definitions, as data. */
export const workflowTypeSchema = z
  .object({
    workflow_type: z.enum(WORKFLOW_TYPES),
    description: z.string(),
    phases: z.array(z.object({ phase: z.enum(PHASES), command: z.string(), title: z.string() })),
  })
  .meta({ id: 'WorkflowTypeDefinition' })
export type WorkflowTypeDefinition = z.infer<typeof workflowTypeSchema>
