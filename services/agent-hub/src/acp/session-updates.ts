import type { AgentUpdate } from '@orchestrator/contract'
import * as z from 'zod'

import { stripControls } from './bounded-text.ts'

/** Longest text of one tool call that is passed on, in characters. */
const TOOL_TEXT = 4_000
/** Tool calls remembered at once; an agent that opens more without end loses the oldest. */
const MAX_TOOL_CALLS = 500

// What an agent sends is read with tolerance: a field that is wrong or unknown is left out, for a turn is not
// to fail because an agent is newer or older than the SDK. https://agentclientprotocol.com/protocol/tool-calls
const optional = <T extends z.ZodType>(type: T) => type.nullish().catch(null)

const contentBlockSchema = z.looseObject({ type: z.string(), text: optional(z.string()) })

const toolCallSchema = z.object({
  toolCallId: z.string(),
  title: optional(z.string()),
  kind: optional(z.string()),
  status: optional(z.string()),
  locations: optional(z.array(z.object({ path: z.string() }))),
  content: optional(
    z.array(z.looseObject({ type: z.string(), content: optional(contentBlockSchema), path: optional(z.string()) })),
  ),
  rawInput: optional(z.record(z.string(), z.unknown())),
})
export type ToolCallDelta = z.infer<typeof toolCallSchema>

const chunk = <T extends string>(name: T) => z.object({ sessionUpdate: z.literal(name), content: contentBlockSchema })

const usageSchema = optional(z.object({ inputTokens: optional(z.int()), outputTokens: optional(z.int()) }))

const updateSchema = z.discriminatedUnion('sessionUpdate', [
  // One agent tells here what each request to its model took.
  chunk('agent_message_chunk').extend({
    messageId: optional(z.string()),
    _meta: optional(z.looseObject({ usage: usageSchema })),
  }),
  chunk('agent_thought_chunk'),
  toolCallSchema.extend({ sessionUpdate: z.literal('tool_call') }),
  toolCallSchema.extend({ sessionUpdate: z.literal('tool_call_update') }),
  z.object({
    sessionUpdate: z.literal('plan'),
    entries: z.array(
      z.object({
        content: z.string(),
        status: z.string().catch('pending'),
        priority: z.string().catch('medium'),
      }),
    ),
  }),
  z.object({
    sessionUpdate: z.literal('usage_update'),
    used: optional(z.number()),
    size: optional(z.number()),
    cost: optional(z.object({ amount: z.number(), currency: z.string() })),
  }),
])
export type SessionUpdate = z.infer<typeof updateSchema>

const notificationSchema = z.looseObject({ sessionId: z.string().catch(''), update: z.unknown() })

/** A `session/update` notification; undefined for the kinds that nobody here reads. */
export function readSessionUpdate(params: unknown): SessionUpdate | undefined {
  const notification = notificationSchema.safeParse(params)
  const update = updateSchema.safeParse(notification.data?.update)
  return update.data
}

export type ToolCallUpdate = NonNullable<AgentUpdate['tool_call']>

/** A tool call as far as it is known: agents send the whole once, then what changed. */
export interface ToolCalls {
  /** `paths` are as the agent wrote them. */
  apply(delta: ToolCallDelta): ToolCallUpdate
}

export function createToolCalls(): ToolCalls {
  const known = new Map<string, ToolCallUpdate>()
  return {
    apply(delta) {
      const before = known.get(delta.toolCallId)
      const paths = listPaths(delta)
      const text = readText(delta) ?? before?.text
      const after: ToolCallUpdate = {
        id: delta.toolCallId,
        title: stripControls(delta.title ?? before?.title ?? 'Tool').slice(0, 500),
        kind: delta.kind ?? before?.kind ?? null,
        status: delta.status ?? before?.status ?? null,
        paths: paths.length > 0 ? paths : (before?.paths ?? []),
        ...(text !== undefined && { text }),
      }
      known.delete(delta.toolCallId)
      known.set(delta.toolCallId, after)
      for (const oldest of known.keys()) {
        if (known.size <= MAX_TOOL_CALLS) break
        known.delete(oldest)
      }
      return after
    },
  }
}

/** Locations and diffs carry paths; some agents put them into the raw input only. */
function listPaths(delta: ToolCallDelta): string[] {
  const raw = ['file_path', 'filePath', 'path', 'abs_path'].map((name) => delta.rawInput?.[name])
  const paths = [
    ...(delta.locations ?? []).map((location) => location.path),
    ...(delta.content ?? []).map((content) => content.path),
    ...raw,
  ]
  return [...new Set(paths.filter((path) => typeof path === 'string' && path !== ''))].slice(0, 100) as string[]
}

function readText(delta: ToolCallDelta): string | undefined {
  const texts = (delta.content ?? []).map((content) => content.content?.text ?? '').filter((text) => text !== '')
  return texts.length === 0 ? undefined : stripControls(texts.join('\n').slice(0, TOOL_TEXT))
}

export function readToolCall(value: unknown): ToolCallDelta | undefined {
  return toolCallSchema.safeParse(value).data
}

/** Tokens, money and model, wherever an agent put them: ACP has no settled place yet. */
const promptResponseSchema = z.looseObject({
  stopReason: z.string().catch('unknown'),
  usage: usageSchema,
  _meta: optional(
    z.looseObject({
      quota: optional(
        z.looseObject({
          token_count: optional(z.object({ input_tokens: optional(z.int()), output_tokens: optional(z.int()) })),
          model_usage: optional(z.array(z.looseObject({ model: z.string() }))),
        }),
      ),
    }),
  ),
})

/** Null where the agent does not tell. */
export interface Tokens {
  input_tokens: number | null
  output_tokens: number | null
}

export interface PromptResult extends Tokens {
  stop_reason: string
  model: string | null
}

export function readPromptResponse(value: unknown): PromptResult {
  const response = promptResponseSchema.safeParse(value).data
  const quota = response?._meta?.quota
  return {
    stop_reason: response?.stopReason ?? 'unknown',
    input_tokens: response?.usage?.inputTokens ?? quota?.token_count?.input_tokens ?? null,
    output_tokens: response?.usage?.outputTokens ?? quota?.token_count?.output_tokens ?? null,
    model: quota?.model_usage?.[0]?.model ?? null,
  }
}
