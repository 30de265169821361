import * as z from 'zod'

import { digestSchema, featureIdSchema, nameSchema, pageOf, timestampSchema } from './ids.ts'
import { jsonObjectSchema } from './workflow.ts'

const textSchema = z.string().min(1).max(20_000)

/** Body of the hub's `POST /sessions`. */
export const createHubSessionSchema = z
  .strictObject({
    feature_id: featureIdSchema,
    agent: nameSchema.default('default'),
    workspace: nameSchema.default('default'),
  })
  .meta({ id: 'CreateHubSession' })
export type CreateHubSession = z.infer<typeof createHubSessionSchema>

/** A conversation with an agent about one feature, that several invocations and questions share. */
export const hubSessionSchema = z
  .object({
    id: z.string(),
    agent: nameSchema,
    workspace: nameSchema,
    feature_id: featureIdSchema,
    created_at: timestampSchema,
    updated_at: timestampSchema.describe('When it was last used'),
  })
  .meta({ id: 'HubSession' })
export type HubSession = z.infer<typeof hubSessionSchema>

/** Body of the hub's `POST /ask/{topic}`. */
export const askRequestSchema = z
  .strictObject({
    question: textSchema,
    feature_id: featureIdSchema,
    workspace: nameSchema.optional().describe('Where the feature is; a session knows it already'),
    context: jsonObjectSchema.optional(),
    session_id: z.string().max(200).optional(),
  })
  .meta({ id: 'AskRequest' })
export type AskRequest = z.infer<typeof askRequestSchema>

export const ASK_STATUSES = ['resolved', 'pending_human', 'needs_reroute'] as const

export const askResponseSchema = z
  .object({
    answer: z.string(),
    rationale: z.string().nullish(),
    confidence: z.number().min(0).max(100),
    status: z.enum(ASK_STATUSES).describe('`pending_human`: the answer is not sure enough, and a person was asked'),
    session_id: z.string(),
    escalation_id: z.string().nullish(),
  })
  .meta({ id: 'AskResponse' })
export type AskResponse = z.infer<typeof askResponseSchema>

export const ESCALATION_ACTIONS = ['confirm', 'correct', 'add_context'] as const

/** A question that waits for a person, because the agent was not sure enough; kept once it is answered. */
export const escalationSchema = z
  .object({
    id: z.uuid(),
    status: z.enum(['pending', 'resolved']),
    topic: nameSchema,
    question: z.string(),
    feature_id: featureIdSchema,
    session_id: z.string(),
    answer: z.string().describe('The agent’s; after `correct`, the person’s'),
    rationale: z.string().nullable(),
    confidence: z.number().min(0).max(100),
    action: z.enum(ESCALATION_ACTIONS).nullable().describe('What a person did last'),
    note: z.string().nullable().describe('What the person wrote with it'),
    acted_by: z.string().nullable(),
    created_at: timestampSchema,
    updated_at: timestampSchema,
  })
  .meta({ id: 'Escalation' })
export type Escalation = z.infer<typeof escalationSchema>
export const escalationPageSchema = pageOf(escalationSchema).meta({ id: 'EscalationPage' })

/** Body of the hub's `POST /escalations/{id}`. */
export const actOnEscalationSchema = z
  .discriminatedUnion('action', [
    z.strictObject({ action: z.literal('confirm') }),
    z.strictObject({ action: z.literal('correct'), response: textSchema.describe('The right answer') }),
    z.strictObject({ action: z.literal('add_context'), response: textSchema.describe('What the agent should know') }),
  ])
  .meta({ id: 'ActOnEscalation' })
export type ActOnEscalation = z.infer<typeof actOnEscalationSchema>

/** One turn of an agent, as the hub's audit log keeps it: digests, not texts. */
export const exchangeSchema = z
  .object({
    id: z.uuid(),
    kind: z.enum(['invoke', 'ask']),
    feature_id: featureIdSchema,
    workspace: nameSchema,
    agent: nameSchema,
    session_id: z.string(),
    invocation_id: z.string().nullable(),
    topic: nameSchema.nullable(),
    prompt_digest: digestSchema,
    answer_digest: digestSchema.nullable().describe('Of the closing message; null when there was none'),
    outcome: z.enum(['ended', 'cancelled', 'failed']),
    model_requests: z.int().nonnegative().describe('To its model, through the hub’s gateway'),
    model_refusals: z.int().nonnegative().describe('Of them, those that the model’s server refused'),
    network_refusals: z.int().nonnegative().describe('Attempts to reach anything else, none of which came out'),
    started_at: timestampSchema,
    duration_ms: z.number().nonnegative(),
  })
  .meta({ id: 'Exchange' })
export type Exchange = z.infer<typeof exchangeSchema>
export const exchangePageSchema = pageOf(exchangeSchema).meta({ id: 'ExchangePage' })
export type ExchangePage = z.infer<typeof exchangePageSchema>
