import * as z from 'zod'

import { timestampSchema } from './ids.ts'

/** Larger numbers are not counted to their end: what is told as this many may be more. */
export const COUNTED_MAX = 10_000

/** Whether work is handed out, and what waits for it. */
export const queueSchema = z
  .object({
    state: z.enum(['running', 'paused']).describe('`paused`: what runs goes on, nothing more is handed out'),
    paused_at: timestampSchema.nullable(),
    paused_by: z.string().nullable(),
    reason: z.string().nullable(),
    waiting: z
      .int()
      .nonnegative()
      .describe(`Attempts that wait for a slot; counted to ${COUNTED_MAX.toLocaleString('en')}`),
    oldest_waiting_at: timestampSchema.nullable().describe('Since when the one at the head has been waiting'),
    at_work: z.int().nonnegative().describe('Attempts handed out, by all replicas; counted as `waiting` is'),
    slots: z.int().positive().describe('Phases at once in this process (`MAX_CONCURRENT_PHASES`)'),
    slots_per_agent: z.int().positive().nullable().describe('Of them, for one agent; null: no limit of its own'),
  })
  .meta({ id: 'Queue' })
export type Queue = z.infer<typeof queueSchema>

/** Body of `POST /queue/pause`. */
export const pauseQueueSchema = z
  .strictObject({ reason: z.string().min(1).max(2000).optional().describe('For whoever finds it paused') })
  .meta({ id: 'PauseQueue' })
export type PauseQueue = z.infer<typeof pauseQueueSchema>
