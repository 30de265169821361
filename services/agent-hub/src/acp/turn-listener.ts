import { isAbsolute, relative } from 'node:path'

import type { AgentUpdate } from '@orchestrator/contract'
import * as z from 'zod'

import type { AgentResult, TurnTraffic } from '../core/ports.ts'
import { createTextTail, stripControls } from './bounded-text.ts'
import type { ModelAnswer } from './model-gateway.ts'
import { areInside, chooseOption, decidePermission, isBelow, type Walls } from './permission-policy.ts'
import {
  createToolCalls,
  readSessionUpdate,
  readToolCall,
  type SessionUpdate,
  type Tokens,
  type ToolCallUpdate,
} from './session-updates.ts'

/** The closing message may hold a whole report; what lies before its last million characters is left out. */
const MAX_TEXT = 1_000_000

/** Addresses of the network that one turn tells of. */
const MAX_ADDRESSES = 100
/** Of what a model's server said. */
const MAX_REFUSAL = 500
const NO_NETWORK = 'the sandbox has no network'

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
  /** Something in the sandbox asked for an address of the network, and was refused. */
  onUnreachable(address: string): void
  /** The same, as often as the kernel counted; it does not tell the addresses. */
  onUnroutable(attempts: number): void
  /** Of the model's server, through the hub. */
  onModelAnswer(answer: ModelAnswer): void
  /** By the hub's own tool. */
  onResult(result: AgentResult): void
  /** What the agent said last, without what it said between its tool calls. */
  readonly closing_text: string
  /** What was handed in last. */
  readonly result: AgentResult | null
  /** Sum of what was told on the way. */
  readonly tokens: Tokens
  /** In US dollars, since the session began; null when the agent does not tell. */
  readonly cost_usd: number | null
  /** What went out of the sandbox, and what was not let out. */
  readonly traffic: TurnTraffic
  /** What the model's server said last when that was a refusal, as a sentence; null when it was not. */
  readonly model_refusal: string | null
}

export interface TurnListenerOptions {
  working_copy: string
  walls: Walls
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
  let tokens: Tokens = { input_tokens: null, output_tokens: null }
  const unreachable = new Set<string>()
  const traffic: TurnTraffic = { model_requests: 0, model_refusals: 0, network_refusals: 0 }
  let model_refusal: string | null = null

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
        tokens = addTokens(tokens, update._meta?.usage)
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
      const answer = decidePermission({ kind: call.kind, title: call.title, inside, walls: o.walls })
      const option = chooseOption(request.options, answer.allow)
      const verdict = answer.allow && option !== undefined ? 'Allowed once' : 'Refused'
      o.push({ kind: 'permission', text: `${verdict}: ${call.title} (${answer.why})`, tool_call: show(call) })
      if (option !== undefined) return { outcome: { outcome: 'selected', optionId: option } }
      const refusal = chooseOption(request.options, false)
      return refusal === undefined
        ? { outcome: { outcome: 'cancelled' } }
        : { outcome: { outcome: 'selected', optionId: refusal } }
    },
    onUnreachable(address) {
      traffic.network_refusals += 1
      // An agent may try the same one every few seconds.
      if (unreachable.has(address) || unreachable.size >= MAX_ADDRESSES) return
      unreachable.add(address)
      o.push({ kind: 'permission', text: `Refused: the network address ${stripControls(address)} (${NO_NETWORK})` })
    },
    onUnroutable(attempts) {
      if (attempts === 0) return
      traffic.network_refusals += attempts
      const what = attempts === 1 ? 'an attempt' : `${attempts} attempts`
      o.push({ kind: 'permission', text: `Refused: ${what} to reach the network directly (${NO_NETWORK})` })
    },
    onModelAnswer({ status, said }) {
      traffic.model_requests += 1
      if (status < 400) {
        model_refusal = null
        return
      }
      traffic.model_refusals += 1
      const words = stripControls(said).replaceAll(/\s+/g, ' ').trim().slice(0, MAX_REFUSAL)
      const sentence = `Its model refused with ${status}${words === '' ? '' : `: ${words}`}`
      // An agent may ask many times before it gives up.
      if (sentence !== model_refusal) o.push({ kind: 'note', text: sentence })
      model_refusal = sentence
    },
    onResult(next) {
      o.onSign()
      result = next
    },
    get result() {
      return result
    },
    get tokens() {
      return tokens
    },
    get closing_text() {
      endMessage()
      return earlier
    },
    get cost_usd() {
      return cost_usd
    },
    get model_refusal() {
      return model_refusal
    },
    traffic,
  }
}

type Told = { inputTokens?: number | null | undefined; outputTokens?: number | null | undefined } | null | undefined

function addTokens(sum: Tokens, told: Told): Tokens {
  const add = (a: number | null, b: number | null | undefined) => (a === null && b == null ? null : (a ?? 0) + (b ?? 0))
  return {
    input_tokens: add(sum.input_tokens, told?.inputTokens),
    output_tokens: add(sum.output_tokens, told?.outputTokens),
  }
}
