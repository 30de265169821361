import * as z from 'zod'

import { agentUpdateSchema } from './events.ts'
import { artifactSchema, checkSchema, usageSchema } from './attempt.ts'
import { featureIdSchema, modelNameSchema, nameSchema, timestampSchema } from './ids.ts'
import { commentSchema } from './review.ts'
import { givenAnswerSchema, givenTickSchema } from './reviewer-notes.ts'
import { jsonObjectSchema, PHASES, WORKFLOW_TYPES } from './workflow.ts'

/** A comment on its way to the agent; the id comes back with the answer. */
export const feedbackThreadSchema = commentSchema.safeExtend({ id: z.uuid() })

/** What a reviewer said: when the phase was sent back, or as notes with an approval of the phase before. */
export const feedbackSchema = z.object({
  verdict: z
    .enum(['approved', 'changes_requested'])
    .optional()
    .describe('`approved`: notes for this phase, given with the approval of the one before'),
  text: z.string().describe('All comments in one readable text, for agents that read nothing else'),
  threads: z.array(feedbackThreadSchema),
  answers: z.array(givenAnswerSchema).optional().describe('To open questions of the attempt before'),
  ticks: z.array(givenTickSchema).optional().describe('Of checklist items, to be put into the repository’s files'),
})
export type Feedback = z.infer<typeof feedbackSchema>

/** `context` of an invocation. */
export const invocationContextSchema = z
  .object({
    feature_id: featureIdSchema,
    feature_description: z.string(),
    phase: z.enum(PHASES),
    additional_context: jsonObjectSchema.optional().describe('The workflow’s context'),
    previous_result: jsonObjectSchema.optional().describe('What the phase before, or the attempt before, produced'),
    feedback: feedbackSchema.optional(),
  })
  .catchall(z.json())

/** The longest that anybody may let a phase take: a week. */
export const PHASE_SECONDS_MAX = 604_800

/** What ours understands in `parameters`; any hub may ignore them. */
export const invocationParametersSchema = z
  .object({
    command: z.string().optional().describe('The Spec Kit command, such as `speckit.specify`'),
    workflow_id: z.string().optional(),
    attempt: z.int().optional(),
    workspace: nameSchema.optional(),
    model: modelNameSchema.optional().describe('The model; left out: the agent’s default at the hub'),
    timeout_seconds: z.number().positive().max(PHASE_SECONDS_MAX).optional(),
  })
  .catchall(z.json())

/** Body of `POST /invoke/{agent}`. */
export const invokeRequestSchema = z
  .strictObject({
    workflow_type: z.enum(WORKFLOW_TYPES),
    context: invocationContextSchema,
    parameters: invocationParametersSchema.default({}),
    session_id: z.string().max(200).optional(),
  })
  .meta({ id: 'InvokeRequest' })
export type InvokeRequest = z.infer<typeof invokeRequestSchema>

/** What our hub puts into `result.data`. */
export const invocationDataSchema = z
  .object({
    artifacts: z.array(artifactSchema).optional(),
    checks: z.array(checkSchema).optional(),
    usage: usageSchema.optional(),
    threads: z
      .array(
        z.object({
          id: z.string(),
          fate: z.enum(['addressed', 'declined', 'unanswered']),
          reply: z.string().nullable(),
        }),
      )
      .optional(),
    session_id: z.string().optional(),
    branch: z.string().optional(),
    commit: z.string().nullable().optional(),
  })
  .catchall(z.json())
export type InvocationData = z.infer<typeof invocationDataSchema>

/** Answer of `POST /invoke/{agent}` (200), and `result` of a finished invocation. Unknown fields of other hubs are kept. */
export const invokeResponseSchema = z
  .object({
    success: z.boolean(),
    result: z
      .object({
        output: z.string().nullish(),
        files_created: z.array(z.string()).nullish(),
        files_read: z.array(z.string()).nullish(),
        uncertainty_reasons: z.array(z.string()).nullish(),
        data: invocationDataSchema.nullish(),
      })
      .catchall(z.json())
      .nullish(),
    confidence: z.number().min(0).max(100).nullish(),
    metadata: z
      .object({ duration_ms: z.number().nullish(), model_used: z.string().nullish() })
      .catchall(z.json())
      .nullish(),
    error: z.string().nullish(),
    escalation_id: z.string().nullish(),
  })
  .meta({ id: 'InvokeResponse' })
export type InvokeResponse = z.infer<typeof invokeResponseSchema>

export const INVOCATION_STATUSES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const
export type InvocationStatus = (typeof INVOCATION_STATUSES)[number]

/** `GET /invocations/{id}`, and the 202 of `Prefer: respond-async` (with `Location: /invocations/{id}`). */
export const invocationSchema = z
  .object({
    id: z.uuid(),
    agent: z.string(),
    status: z.enum(INVOCATION_STATUSES),
    response: invokeResponseSchema.nullable().describe('Set once it is finished'),
    created_at: timestampSchema,
    started_at: timestampSchema.nullable(),
    finished_at: timestampSchema.nullable(),
  })
  .meta({ id: 'Invocation' })
export type Invocation = z.infer<typeof invocationSchema>

/** One event of `GET /invocations/{id}/events`; the SSE id is `sequence`. The stream ends after `invocation.finished`. */
export const invocationEventSchema = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('agent.update'),
    sequence: z.int(),
    created_at: timestampSchema,
    data: agentUpdateSchema,
  }),
  z.object({
    type: z.literal('invocation.finished'),
    sequence: z.int(),
    created_at: timestampSchema,
    data: invocationSchema,
  }),
])
export type InvocationEvent = z.infer<typeof invocationEventSchema>

export const hubAgentSchema = z
  .object({
    name: nameSchema,
    title: z.string(),
    available: z.boolean(),
    default: z.boolean(),
    takes_model: z.boolean().optional().describe('Whether a model can be chosen for it; left out: not known'),
    version: z.string().nullable(),
    reason: z.string().nullable().describe('Why it cannot be used'),
    install: z.string().nullable().describe('The command that installs it'),
  })
  .meta({ id: 'Agent' })
export type HubAgent = z.infer<typeof hubAgentSchema>

/** `GET /agents`. */
export const hubAgentsSchema = z.object({ items: z.array(hubAgentSchema), default: nameSchema }).meta({ id: 'Agents' })
export type HubAgents = z.infer<typeof hubAgentsSchema>

/** `GET /health` of a hub; only ours gives reasons. */
export const hubHealthSchema = z.object({
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  reasons: z.array(z.string()).default([]),
})
export type HubHealth = z.infer<typeof hubHealthSchema>

/** `GET /workspaces/{name}`. */
export const hubWorkspaceSchema = z
  .object({
    name: nameSchema,
    path: z.string(),
    default_branch: z.string(),
    highest_number: z.int().nonnegative().describe('The highest feature number taken in `specs/` or by a branch'),
  })
  .meta({ id: 'Workspace' })
export type HubWorkspace = z.infer<typeof hubWorkspaceSchema>
