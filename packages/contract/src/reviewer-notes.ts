import * as z from 'zod'

import { attemptIdSchema, digestSchema, pageOf, timestampSchema } from './ids.ts'

/** Name of a question or of a checklist item within its attempt. */
export const noteIdSchema = z.string().regex(/^[0-9a-f]{16}$/, 'must be an id of this attempt, as its list tells it')

/** Bound to what was seen, as a review is. */
const seen = digestSchema.optional().describe('Of the attempt that was seen; another one is refused as STALE_REVIEW')

/** Something that the current attempt leaves open: a `[NEEDS CLARIFICATION: …]` of a document, or what the agent told. */
export const questionSchema = z
  .object({
    id: noteIdSchema,
    path: z.string().nullable().describe('Null when the agent told it and wrote it into no document'),
    line: z.int().positive().nullable(),
    text: z.string().describe('Empty where the marker has no words'),
    answer: z.string().nullable(),
    answered_by: z.string().nullable(),
    answered_at: timestampSchema.nullable(),
  })
  .meta({ id: 'Question' })
export type Question = z.infer<typeof questionSchema>

const ofAttempt = {
  attempt_id: attemptIdSchema,
  digest: digestSchema.nullable().describe('Of the attempt that these belong to'),
}

export const questionPageSchema = pageOf(questionSchema).extend(ofAttempt).meta({ id: 'QuestionPage' })
export type QuestionPage = z.infer<typeof questionPageSchema>

/** Body of `PUT /workflows/{id}/questions/{question_id}`. */
export const answerQuestionSchema = z
  .strictObject({
    answer: z.string().min(1).max(10_000).nullable().describe('Null takes it back'),
    digest: seen,
  })
  .meta({ id: 'AnswerQuestion' })
export type AnswerQuestion = z.infer<typeof answerQuestionSchema>

export const checklistItemSchema = z
  .object({
    id: noteIdSchema,
    label: z.string().describe('`CHK001`, or the text where it has no number'),
    text: z.string(),
    line: z.int().positive(),
    ticked: z.boolean(),
    ticked_by: z.string().nullable().describe('Who ticked or unticked it here; null when it stands so in the file'),
    ticked_at: timestampSchema.nullable(),
  })
  .meta({ id: 'ChecklistItem' })
export type ChecklistItem = z.infer<typeof checklistItemSchema>

export const checklistSchema = z
  .object({ path: z.string(), ticked: z.int().nonnegative(), items: z.array(checklistItemSchema) })
  .meta({ id: 'Checklist' })
export type Checklist = z.infer<typeof checklistSchema>
export const checklistPageSchema = pageOf(checklistSchema).extend(ofAttempt).meta({ id: 'ChecklistPage' })
export type ChecklistPage = z.infer<typeof checklistPageSchema>

/** Body of `PUT /workflows/{id}/checklist-items/{item_id}`. */
export const tickItemSchema = z.strictObject({ ticked: z.boolean(), digest: seen }).meta({ id: 'TickItem' })
export type TickItem = z.infer<typeof tickItemSchema>

/** An answer on its way to the agent. */
export const givenAnswerSchema = z.object({
  question: z.string(),
  answer: z.string(),
  path: z.string().nullable(),
  line: z.int().nullable(),
  by: z.string(),
})
export type GivenAnswer = z.infer<typeof givenAnswerSchema>

/** A tick on its way into the repository's checklist, with who gave it when. */
export const givenTickSchema = z.object({
  path: z.string(),
  label: z.string(),
  ticked: z.boolean(),
  by: z.string(),
  at: timestampSchema,
})
export type GivenTick = z.infer<typeof givenTickSchema>
