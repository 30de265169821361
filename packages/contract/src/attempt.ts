import * as z from 'zod'

import { attemptIdSchema, digestSchema, pageOf, timestampSchema, workflowIdSchema } from './ids.ts'
import { reviewSchema } from './review.ts'

/** Where an attempt stands. `queued`, `running` and `backing_off` are unfinished. */
export const ATTEMPT_STATES = ['queued', 'running', 'backing_off', 'succeeded', 'failed', 'cancelled'] as const
export type AttemptState = (typeof ATTEMPT_STATES)[number]

/** One file an attempt produced, kept for good under its digest. */
export const artifactSchema = z
  .object({
    path: z.string().describe('Path in the repository, such as `specs/001-login/spec.md`'),
    digest: digestSchema,
    size: z.int().nonnegative().describe('Bytes'),
    media_type: z.string(),
  })
  .meta({ id: 'Artifact' })
export type Artifact = z.infer<typeof artifactSchema>

/** One deterministic check of the files. `error`: the phase is not done; `warning`: for the reviewer to judge; `pass`: it holds. */
export const checkSchema = z
  .object({
    id: z.string().describe('Stable name, such as `spec-has-user-story`'),
    level: z.enum(['error', 'warning', 'pass']),
    message: z.string(),
    path: z.string().nullable(),
    line: z.int().positive().nullable(),
  })
  .meta({ id: 'Check' })
export type Check = z.infer<typeof checkSchema>

/** Tokens and money as the agent reported them; null where it did not. */
export const usageSchema = z
  .object({
    input_tokens: z.int().nullable(),
    output_tokens: z.int().nullable(),
    cost_usd: z.number().nullable(),
  })
  .meta({ id: 'Usage' })
export type Usage = z.infer<typeof usageSchema>

export const attemptSummarySchema = z.object({
  id: attemptIdSchema,
  number: z.int().positive().describe('From 1 within the phase'),
  state: z.enum(ATTEMPT_STATES),
  reason: z.string().nullable().describe('Why it waits or ended as it did, in plain words'),
  tries: z.int().nonnegative().describe('How often the work was handed to the hub'),
  next_retry_at: timestampSchema.nullable(),
  digest: digestSchema
    .nullable()
    .describe('SHA-256 over what a reviewer sees of this attempt; send it back with a review'),
})

/** One execution of one phase by an agent, kept whole. */
export const attemptSchema = attemptSummarySchema
  .extend({
    workflow_id: workflowIdSchema,
    phase: z.enum(['phase_1', 'phase_2']),
    agent: z.string().nullable(),
    invocation_id: z.string().nullable().describe('The hub’s name for it'),
    session_id: z.string().nullable(),
    confidence: z.number().min(0).max(100).nullable(),
    output: z.string().nullable().describe('What the agent said at the end'),
    uncertainty_reasons: z.array(z.string()),
    artifacts: z.array(artifactSchema),
    checks: z.array(checkSchema),
    usage: usageSchema.nullable(),
    created_at: timestampSchema,
    started_at: timestampSchema.nullable(),
    finished_at: timestampSchema.nullable(),
    review: reviewSchema.nullable().describe('The verdict on this attempt, when there is one'),
  })
  .meta({ id: 'Attempt' })
export type Attempt = z.infer<typeof attemptSchema>
export const attemptPageSchema = pageOf(attemptSchema).meta({ id: 'AttemptPage' })

/** An artifact made readable on the server: sanitised HTML whose blocks carry `data-line-start` and `data-line-end`. */
export const renderedArtifactSchema = z
  .object({
    digest: digestSchema,
    path: z.string(),
    media_type: z.string(),
    size: z.int().nonnegative(),
    kind: z
      .enum(['document', 'source', 'unreadable'])
      .describe('`unreadable`: binary, or too large to show; `html` then says so'),
    html: z.string(),
    title: z.string(),
    reading_minutes: z.number().nonnegative(),
    blocks: z
      .array(z.object({ id: z.string(), line_start: z.int(), line_end: z.int(), digest: digestSchema }))
      .describe('The top-level blocks; one with the same digest in another version reads the same'),
  })
  .meta({ id: 'RenderedArtifact' })
export type RenderedArtifact = z.infer<typeof renderedArtifactSchema>

/** How one artifact became another: readable, sanitised, and as hunks. */
export const renderedDiffSchema = z
  .object({
    base: digestSchema,
    digest: digestSchema,
    path: z.string(),
    kind: z
      .enum(['document', 'source', 'unreadable'])
      .describe(
        '`document`: the rendered text with its words marked; `source`: line by line; `unreadable`: `html` says why',
      ),
    html: z
      .string()
      .describe(
        'Changed blocks and lines carry `data-changed`, those that are gone `data-removed`; words stand in `ins` and `del`',
      ),
    changes: z.int().nonnegative().describe('How many blocks or lines are marked'),
    added_lines: z.int().nonnegative(),
    removed_lines: z.int().nonnegative(),
    hunks: z
      .array(
        z.object({
          old_start: z.int(),
          old_lines: z.int(),
          new_start: z.int(),
          new_lines: z.int(),
          lines: z.array(z.string()).describe('As in a unified diff: each begins with a blank, `-` or `+`'),
        }),
      )
      .describe('The first 200'),
  })
  .meta({ id: 'RenderedDiff' })
export type RenderedDiff = z.infer<typeof renderedDiffSchema>
