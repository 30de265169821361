import { feedbackSchema, jsonObjectSchema, PHASES, WORKFLOW_TYPES } from '@orchestrator/contract'
import * as z from 'zod'

/**
 * What a prompt says in a form that programs can read, beside its prose. Agents without a model
 * (the demo agent, stubs in tests) read nothing else.
 */
export const invocationBlockSchema = z.object({
  command: z.string().describe('Without a prefix: `specify`, `clarify`, …'),
  feature_id: z.string(),
  feature_directory: z.string().describe('Relative to the working copy: `specs/NNN-slug`'),
  feature_description: z.string(),
  workflow_type: z.enum(WORKFLOW_TYPES),
  phase: z.enum(PHASES),
  attempt: z.int().positive(),
  additional_context: jsonObjectSchema.nullable(),
  feedback: feedbackSchema.nullable(),
})
export type InvocationBlock = z.infer<typeof invocationBlockSchema>

const OPENING = '```json invocation\n'
const CLOSING = '\n```'

/** One fenced block. Backticks inside strings are written as `\u0060`, so that no text can close the fence. */
export const formatInvocationBlock = (block: InvocationBlock): string =>
  `${OPENING}${JSON.stringify(block, null, 2).replaceAll('`', '\\u0060')}${CLOSING}`

/** The block of a prompt, or undefined where there is none or it cannot be read. */
export function findInvocationBlock(prompt: string): InvocationBlock | undefined {
  const start = prompt.lastIndexOf(OPENING)
  if (start === -1) return undefined
  const end = prompt.indexOf(CLOSING, start)
  if (end === -1) return undefined
  try {
    const parsed = invocationBlockSchema.safeParse(JSON.parse(prompt.slice(start + OPENING.length, end)))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}
