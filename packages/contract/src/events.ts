import * as z from 'zod'

import { attemptIdSchema, timestampSchema, workflowIdSchema } from './ids.ts'
import { ATTEMPT_STATES } from './attempt.ts'
import { checklistItemSchema, questionSchema } from './reviewer-notes.ts'
import { PHASES, transitionSchema, workflowSchema } from './workflow.ts'

const base = { sequence: z.int().positive(), workflow_id: workflowIdSchema, created_at: timestampSchema }

/** What an agent is doing, as ACP tells it, merged so that an attempt sends at most ten a second. */
export const agentUpdateSchema = z.object({
  kind: z.enum(['message', 'thought', 'tool_call', 'plan', 'usage', 'permission', 'note']),
  text: z.string().optional().describe('Text of a message, thought or note; several chunks joined'),
  tool_call: z
    .object({
      id: z.string(),
      title: z.string(),
      kind: z.string().nullable(),
      status: z.string().nullable(),
      paths: z.array(z.string()),
      text: z.string().optional(),
    })
    .optional(),
  plan: z.array(z.object({ content: z.string(), status: z.string(), priority: z.string() })).optional(),
  usage: z.json().optional(),
})
export type AgentUpdate = z.infer<typeof agentUpdateSchema>

/**
 * One event of `/events` and `/workflows/{id}/events`. `sequence` is the SSE id: it only grows,
 * over all workflows, and is given in the same commit as what it tells. `workflow_id` is null where
 * an event is of none: those are told by `/events` alone.
 */
export const streamEventSchema = z.discriminatedUnion('type', [
  z.object({
    ...base,
    type: z.literal('workflow.created'),
    data: workflowSchema.pick({
      workflow_type: true,
      status: true,
      feature_id: true,
      workspace: true,
      created_by: true,
    }),
  }),
  z.object({ ...base, type: z.literal('workflow.transition'), data: transitionSchema }),
  z.object({
    ...base,
    type: z.literal('attempt.state'),
    data: z.object({
      attempt_id: attemptIdSchema,
      phase: z.enum(PHASES),
      number: z.int(),
      state: z.enum(ATTEMPT_STATES),
      reason: z.string().nullable(),
      next_retry_at: timestampSchema.nullable(),
    }),
  }),
  z.object({
    ...base,
    type: z.literal('question.answered'),
    data: z.object({ attempt_id: attemptIdSchema, question: questionSchema }),
  }),
  z.object({
    ...base,
    type: z.literal('checklist.ticked'),
    data: z.object({ attempt_id: attemptIdSchema, path: z.string(), item: checklistItemSchema }),
  }),
  z.object({
    ...base,
    type: z.literal('agent.update'),
    data: z.object({
      attempt_id: attemptIdSchema,
      phase: z.enum(PHASES),
      number: z.int(),
      updates: z.array(agentUpdateSchema),
    }),
  }),
  z.object({
    ...base,
    workflow_id: z.null(),
    type: z.literal('queue.state'),
    data: z.object({
      state: z.enum(['running', 'paused']),
      actor: z.string(),
      reason: z.string().nullable(),
    }),
  }),
])
/**
 * Data of the `reset` that a stream begins with when the event to go on after is older than what is kept: read
 * everything again. What follows comes after `sequence`, which is the frame's id.
 */
export const streamResetSchema = z.object({ sequence: z.int().nonnegative() })
export type StreamReset = z.infer<typeof streamResetSchema>

export type StreamEvent = z.infer<typeof streamEventSchema>
export type StreamEventType = StreamEvent['type']
