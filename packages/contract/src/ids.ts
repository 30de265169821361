import * as z from 'zod'

/** `NNN-slug`: at least three digits, then lower-case words. Also the feature's branch and its folder under `specs/`. */
export const FEATURE_ID_PATTERN = /^\d{3,}-[a-z0-9-]+$/

export const workflowIdSchema = z.uuid().brand<'WorkflowId'>()
export type WorkflowId = z.infer<typeof workflowIdSchema>

export const attemptIdSchema = z.uuid().brand<'AttemptId'>()
export type AttemptId = z.infer<typeof attemptIdSchema>

export const featureIdSchema = z
  .string()
  .max(120)
  .regex(FEATURE_ID_PATTERN, 'must look like 001-some-feature')
  .brand<'FeatureId'>()
export type FeatureId = z.infer<typeof featureIdSchema>

/** SHA-256 in lower-case hexadecimal. */
export const digestSchema = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hexadecimal')
  .brand<'Digest'>()
export type Digest = z.infer<typeof digestSchema>

/** Name of an agent or a workspace: never a path, never an option. */
export const nameSchema = z
  .string()
  .min(1)
  .max(100)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]*$/,
    'must begin with a letter or digit and hold only letters, digits, `.`, `_` and `-`',
  )

/** As models are called: `gpt-6.1-sol`, `anthropic/claude-opus-5`, `gpt-6.1-sol[high]`; never an option. */
export const modelNameSchema = z
  .string()
  .max(200)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._:/@|()[\]-]*$/,
    'must begin with a letter or digit and hold only letters, digits and `. _ : / @ | ( ) [ ] -`',
  )

/** ISO 8601, UTC, milliseconds: `2026-01-31T12:00:00.000Z`. */
export const timestampSchema = z.iso.datetime()

/** A page of a list; `next_cursor` is null on the last one. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), next_cursor: z.string().nullable() })
