import { isAbsolute, relative } from 'node:path'

import type { AgentUpdate } from '@orchestrator/contract'
import * as z from 'zod'

import type { AgentResult } from '../core/ports.ts'
import { createTextTail, stripControls } from './bounded-text.ts'
import { areInside, chooseOption, decidePermission, isBelow } from './permission-policy.ts'
import {
  createToolCalls,
  readSessionUpdate,
  readToolCall,
  type SessionUpdate,
  type ToolCallUpdate,
} from './session-updates.ts'

/** The closing message may hold a whole report; what lies before its last million characters is left out. */
const MAX_TEXT = 1_000_000

const permissionSchema = z.looseObject({
  toolCall: z.unknown(),
  options: z.array(z.object({ optionId: z.string(), kind: z.string() })),
})

export type PermissionResponse = {
  outcome: { outcome: 'cancelled' } | { outcome: 'selected'; optionId: string }
}

/** Hears one turn of an agent: turns ACP's notifications into updates and answers its requests. */
export interface TurnListener {
  onUpdate(params: unknown): void
  onPermission(params: unknown): Promise<PermissionResponse>
  /** By the hub's own tool. */
  onResult(result: AgentResult): void
  /** What the agent said last, without what it said between its tool calls. */
  readonly closing_text: string
  /** What was handed in last. */
  readonly result: AgentResult | null
  /** In US dollars, since the session began; null when the agent does not tell. */
  readonly cost_usd: number | null
}

export interface TurnListenerOptions {
  working_copy: string
  sandboxed: boolean
  push(update: AgentUpdate): void
  /** Told of everything the agent sends: it lives. */
  onSign(): void
}

export function createTurnListener(o: TurnListenerOptions): TurnListener {
  const tool_calls = createToolCalls()
  const text = createTextTail(MAX_TEXT)
  // An agent may close with a tool call instead of a message: then the message before it counts.
  let earlier = ''
  let message_id: string | null = null
  let cost_usd: number | null = null
  let result: AgentResult | null = null

  const endMessage = (): void => {
    const said = text.text
    if (said.trim() !== '') earlier = said
    text.clear()
  }
  const show = (call: ToolCallUpdate): ToolCallUpdate => ({
    ...call,
    paths: call.paths.map((path) =>
      isAbsolute(path) && isBelow(o.working_copy, path) ? relative(o.working_copy, path) : path,
    ),
  })

  const apply = (update: SessionUpdate): void => {
    switch (update.sessionUpdate) {
      case 'agent_message_chunk': {
        const id = update.messageId ?? null
        if (id !== message_id) endMessage()
        message_id = id
        const said = stripControls(update.content.text ?? '')
        text.append(said)
        if (said !== '') o.push({ kind: 'message', text: said })
        return
      }
      case 'agent_thought_chunk': {
        const thought = stripControls(update.content.text ?? '')
        if (thought !== '') o.push({ kind: 'thought', text: thought })
        return
      }
      case 'tool_call':
      case 'tool_call_update':
        endMessage()
        o.push({ kind: 'tool_call', tool_call: show(tool_calls.apply(update)) })
        return
      case 'plan':
        o.push({ kind: 'plan', plan: update.entries.slice(0, 200) })
        return
      case 'usage_update':
        if (update.cost?.currency === 'USD') cost_usd = update.cost.amount
        o.push({
          kind: 'usage',
          usage: { context_used: update.used ?? null, context_size: update.size ?? null, cost: update.cost ?? null },
        })
        return
    }
  }

  return {
    onUpdate(params) {
      o.onSign()
      const update = readSessionUpdate(params)
      if (update !== undefined) apply(update)
    },
    async onPermission(params) {
      o.onSign()
      const request = permissionSchema.safeParse(params).data
      const delta = readToolCall(request?.toolCall)
      if (request === undefined || delta === undefined) return { outcome: { outcome: 'cancelled' } }
      const call = tool_calls.apply(delta)
      const inside = await areInside(o.working_copy, call.paths)
      const answer = decidePermission({ kind: call.kind, title: call.title, inside, sandboxed: o.sandboxed })
      const option = chooseOption(request.options, answer.allow)
      const verdict = answer.allow && option !== undefined ? 'Allowed once' : 'Refused'
      o.push({ kind: 'permission', text: `${verdict}: ${call.title} (${answer.why})`, tool_call: show(call) })
      if (option !== undefined) return { outcome: { outcome: 'selected', optionId: option } }
      const refusal = chooseOption(request.options, false)
      return refusal === undefined
        ? { outcome: { outcome: 'cancelled' } }
        : { outcome: { outcome: 'selected', optionId: refusal } }
    },
    onResult(next) {
      o.onSign()
      result = next
    },
    get result() {
      return result
    },
    get closing_text() {
      endMessage()
      return earlier
    },
    get cost_usd() {
      return cost_usd
    },
  }
}
