import * as z from 'zod'

const json_object = z.record(z.string(), z.json())

const feedbackSchema = z.object({
  text: z.string(),
  threads: z.array(
    z.object({
      id: z.string(),
      path: z.string().optional(),
      lines: z.object({ start: z.int().positive(), end: z.int().positive() }).optional(),
      quote: z.string().optional(),
      text: z.string(),
      replacement: z.string().optional(),
    }),
  ),
  answers: z
    .array(z.object({ question: z.string(), answer: z.string(), path: z.string().nullish(), line: z.int().nullish() }))
    .optional(),
})
export type Feedback = z.infer<typeof feedbackSchema>

/** What a prompt says in a form that a program can read: the one fenced block `json invocation`. */
const invocationSchema = z.object({
  command: z.string(),
  feature_id: z.string(),
  feature_directory: z.string(),
  feature_description: z.string(),
  attempt: z.int().positive(),
  additional_context: json_object.nullish(),
  feedback: feedbackSchema.nullish(),
})
export type Invocation = z.infer<typeof invocationSchema>

const OPENING = '```json invocation\n'
const CLOSING = '\n```'

/** Undefined where there is no such block, or it cannot be read. */
export function findInvocation(prompt: string): Invocation | undefined {
  const start = prompt.lastIndexOf(OPENING)
  const end = prompt.indexOf(CLOSING, start)
  if (start === -1 || end === -1) return undefined
  try {
    const parsed = invocationSchema.safeParse(JSON.parse(prompt.slice(start + OPENING.length, end)))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}
