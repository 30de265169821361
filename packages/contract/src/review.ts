import * as z from 'zod'

import { digestSchema, timestampSchema } from './ids.ts'

export const linesSchema = z
  .strictObject({ start: z.int().positive(), end: z.int().positive() })
  .refine((lines) => lines.end >= lines.start, 'end must not lie before start')

/** A comment as a reviewer posts it: on a file, perhaps on lines of it, perhaps quoting a text. */
export const commentSchema = z
  .strictObject({
    id: z.uuid().optional().describe('Of the draft that it was: the thread keeps it, and the draft is gone'),
    path: z.string().min(1).max(1000).optional().describe('Left out when the comment is on the whole'),
    lines: linesSchema.optional(),
    quote: z.string().min(1).max(10_000).optional(),
    text: z.string().min(1).max(10_000),
    replacement: z
      .string()
      .max(20_000)
      .optional()
      .describe('A suggestion: the text proposed in place of exactly these lines; empty removes them'),
  })
  .refine(({ replacement, path, lines }) => replacement === undefined || (path !== undefined && lines !== undefined), {
    path: ['replacement'],
    message: 'needs path and lines: which text it is to stand in place of',
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
    replacement: z.string().nullable().describe('The text that the reviewer proposed in place of the lines'),
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
    override_reason: z
      .string()
      .min(1)
      .max(2000)
      .optional()
      .describe('Of an admin: approve although the policy wants more; marked in the history'),
    error: z.string().min(1).max(20_000).optional(),
  })
  .catchall(z.json())
export type ReviewResult = z.infer<typeof reviewResultSchema>
