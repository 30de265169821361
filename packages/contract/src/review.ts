import * as z from 'zod'

import { digestSchema, timestampSchema } from './ids.ts'

/** A comment as a reviewer posts it: on a file, perhaps on lines of it, perhaps quoting a text. */
export const commentSchema = z
  .strictObject({
    path: z.string().min(1).max(1000).optional().describe('Left out when the comment is on the whole'),
    lines: z
      .strictObject({ start: z.int().positive(), end: z.int().positive() })
      .refine((lines) => lines.end >= lines.start, 'end must not lie before start')
      .optional(),
    quote: z.string().min(1).max(10_000).optional(),
    text: z.string().min(1).max(10_000),
  })
  .meta({ id: 'Comment' })
export type Comment = z.infer<typeof commentSchema>

/** What became of a comment after the rework. */
export const THREAD_FATES = ['open', 'addressed', 'declined', 'unanswered'] as const

export const threadSchema = z
  .object({
    id: z.uuid(),
    path: z.string().nullable(),
    lines: z.object({ start: z.int(), end: z.int() }).nullable(),
    quote: z.string().nullable(),
    text: z.string(),
    fate: z.enum(THREAD_FATES),
    reply: z.string().nullable().describe('The agent’s answer'),
  })
  .meta({ id: 'Thread' })
export type Thread = z.infer<typeof threadSchema>

/** A human verdict on an attempt, bound to the digest of what was reviewed. */
export const reviewSchema = z
  .object({
    id: z.uuid(),
    verdict: z.enum(['approved', 'changes_requested', 'stopped']),
    actor: z.string(),
    digest: digestSchema.nullable(),
    threads: z.array(threadSchema),
    created_at: timestampSchema,
  })
  .meta({ id: 'Review' })
export type Review = z.infer<typeof reviewSchema>

/**
 * `phase_result` of `/advance`: free-form, with the fields that are known checked. In a review
 * `approved`, `comments`, `abort`, `digest`; from a machine the phase's output, or `error`.
 */
export const reviewResultSchema = z
  .object({
    approved: z.boolean().optional(),
    comments: z
      .union([z.string().min(1).max(20_000), z.array(commentSchema).max(500)], {
        error: 'must be a text or a list of {path?, lines?, quote?, text}',
      })
      .optional(),
    abort: z.boolean().optional().describe('With `human_rejected`: fail the workflow instead of reworking'),
    digest: digestSchema.optional().describe('What was seen; a review of anything else is refused as STALE_REVIEW'),
    error: z.string().min(1).max(20_000).optional(),
  })
  .catchall(z.json())
export type ReviewResult = z.infer<typeof reviewResultSchema>
