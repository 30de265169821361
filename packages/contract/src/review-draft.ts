import * as z from 'zod'

import { attemptIdSchema, digestSchema, pageOf, timestampSchema } from './ids.ts'
import { linesSchema } from './review.ts'

/** `comment` is on something, `note` is for the verdict as a whole. */
export const DRAFT_KINDS = ['comment', 'note'] as const

/** Body of `PUT /workflows/{id}/drafts/{draft_id}`: the whole draft, again each time it changes. */
export const saveDraftSchema = z
  .strictObject({
    attempt_id: attemptIdSchema.describe('The attempt it was written on: in another one its lines mean nothing'),
    kind: z.enum(DRAFT_KINDS),
    path: z.string().min(1).max(1000).nullable(),
    lines: linesSchema.nullable(),
    quote: z.string().min(1).max(10_000).nullable(),
    text: z.string().max(10_000).describe('May be empty while it is being written'),
    replacement: z.string().max(20_000).nullable().describe('Text proposed in place of the lines'),
  })
  .meta({ id: 'SaveDraft' })
export type SaveDraft = z.infer<typeof saveDraftSchema>

/** What a reviewer wrote and has not sent: theirs alone, kept until it is sent or deleted. */
export const reviewDraftSchema = saveDraftSchema
  .extend({ id: z.uuid(), created_at: timestampSchema, updated_at: timestampSchema })
  .meta({ id: 'ReviewDraft' })
export type ReviewDraft = z.infer<typeof reviewDraftSchema>

/** A reviewer has at most so many in one workflow: as many as a verdict may carry, and a note for each of some attempts. */
export const DRAFTS_MAX = 600

export const draftPageSchema = pageOf(reviewDraftSchema).meta({ id: 'ReviewDraftPage' })

/** That a reviewer has read a file or a block. By digest: what changes has not been read. */
export const viewedMarkSchema = z
  .object({
    digest: digestSchema.describe('Of an artifact, or of one of its blocks'),
    viewed_at: timestampSchema,
  })
  .meta({ id: 'ViewedMark' })
export type ViewedMark = z.infer<typeof viewedMarkSchema>

export const viewedPageSchema = pageOf(viewedMarkSchema).meta({ id: 'ViewedMarkPage' })
