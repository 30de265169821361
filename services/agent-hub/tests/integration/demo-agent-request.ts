import { invokeRequestSchema, type InvokeRequest, type Phase, type WorkflowType } from '@orchestrator/contract'
import * as z from 'zod'

import type { Command } from '../../src/spec-kit/command.ts'
import { FEATURE_ID } from './demo-agent-process.ts'

const PLACE: Readonly<Record<Command, readonly [WorkflowType, Phase]>> = {
  specify: ['specify', 'phase_1'],
  clarify: ['specify', 'phase_2'],
  plan: ['plan', 'phase_1'],
  checklist: ['plan', 'phase_2'],
  tasks: ['tasks', 'phase_1'],
  analyze: ['tasks', 'phase_2'],
  implement: ['implement', 'phase_1'],
  converge: ['implement', 'phase_2'],
}

export interface RequestChange {
  attempt?: number
  feature_description?: string
  feedback?: { text: string; threads: { id: string; text: string; path?: string; quote?: string }[] }
}

/** As the orchestrator sends it. */
export function requestOf(
  command: Command,
  { attempt = 1, feature_description, feedback }: RequestChange = {},
): InvokeRequest {
  const [workflow_type, phase] = PLACE[command]
  return invokeRequestSchema.parse({
    workflow_type,
    context: {
      feature_id: FEATURE_ID,
      feature_description: feature_description ?? 'Let visitors upload photos and group them into albums by date.',
      phase,
      ...(feedback === undefined ? {} : { feedback }),
    },
    parameters: { attempt },
  })
}

const resultSchema = z.strictObject({
  summary: z.string().min(1),
  confidence: z.number().min(0).max(100),
  open_questions: z.array(z.string()),
  threads: z.array(
    z.strictObject({ id: z.string(), fate: z.enum(['addressed', 'declined']), reply: z.string().min(1) }),
  ),
})

/** The closing block of a message; throws where there is not exactly one. */
export function resultOf(text: string): z.infer<typeof resultSchema> {
  const blocks = text.split('```json result\n').slice(1)
  const [only] = blocks
  if (only === undefined || blocks.length !== 1) throw new Error(`${blocks.length} result blocks in: ${text}`)
  return resultSchema.parse(JSON.parse(only.slice(0, only.indexOf('\n```'))))
}
