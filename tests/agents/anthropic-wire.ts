import type { ServerResponse } from 'node:http'

import * as z from 'zod'

import { findFolder, sendJson, type BoundStep, type Decide, type ModelRequest } from './model-step.ts'

// https://docs.anthropic.com/en/api/messages
const blockSchema = z.looseObject({ type: z.string(), text: z.string().optional() })
const requestSchema = z.looseObject({
  stream: z.boolean().default(false),
  model: z.string().default('scripted'),
  system: z.union([z.string(), z.array(blockSchema)]).default(''),
  messages: z.array(z.looseObject({ role: z.string(), content: z.union([z.string(), z.array(blockSchema)]) })),
  tools: z
    .array(
      z.looseObject({
        name: z.string(),
        input_schema: z.looseObject({ properties: z.record(z.string(), z.unknown()).default({}) }).optional(),
      }),
    )
    .default([]),
})
type AnthropicRequest = z.infer<typeof requestSchema>

/** Answers `POST /v1/messages`, streaming or not. */
export function answerAnthropic(body: unknown, response: ServerResponse, decide: Decide): void {
  const request = requestSchema.parse(body)
  // A side question, such as a title for the session, offers no tools: none of them is part of a script.
  const step: BoundStep = request.tools.length === 0 ? { kind: 'say', text: 'Scripted' } : decide(readRequest(request))
  if (step.kind === 'hang') return
  if (step.kind === 'fail') {
    sendJson(response, step.status, { type: 'error', error: { type: 'api_error', message: step.message } })
    return
  }
  const message = toMessage(step, request.model)
  if (!request.stream) {
    sendJson(response, 200, message)
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for (const event of toEvents(message)) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
  response.end()
}

function readRequest(request: AnthropicRequest): ModelRequest {
  const said = request.messages.map(({ role, content }) => {
    const blocks = blocksOf(content)
    const results = blocks.filter((block) => block.type === 'tool_result').length
    return {
      from_person: role === 'user' && results === 0,
      results,
      text: blocks.map((block) => block.text ?? '').join('\n'),
    }
  })
  const last = said.findLastIndex((message) => message.from_person)
  return {
    prompt: said[last]?.text ?? '',
    said: said.filter((message) => message.from_person).map(({ text }) => text),
    tool_results: said.slice(last + 1).reduce((sum, message) => sum + message.results, 0),
    tools: request.tools.map((tool) => ({
      name: tool.name,
      parameters: Object.keys(tool.input_schema?.properties ?? {}),
    })),
    folder: findFolder([...blocksOf(request.system).map(({ text }) => text ?? ''), ...said.map(({ text }) => text)]),
  }
}

const blocksOf = (content: string | z.infer<typeof blockSchema>[]): z.infer<typeof blockSchema>[] =>
  typeof content === 'string' ? [{ type: 'text', text: content }] : content

function toMessage(step: Extract<BoundStep, { kind: 'call' | 'say' }>, model: string) {
  const called = step.kind === 'call'
  const block = called
    ? { type: 'tool_use', id: `toolu_${crypto.randomUUID()}`, name: step.call.name, input: step.call.arguments }
    : { type: 'text', text: step.text }
  return {
    id: `msg_${crypto.randomUUID()}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [block],
    stop_reason: called ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 10, output_tokens: 5 },
  }
}

function toEvents(message: ReturnType<typeof toMessage>): { type: string; [field: string]: unknown }[] {
  const { content, stop_reason, ...head } = message
  const blocks = content.flatMap((block, index) => [
    {
      type: 'content_block_start',
      index,
      content_block: 'input' in block ? { ...block, input: {} } : { type: 'text', text: '' },
    },
    {
      type: 'content_block_delta',
      index,
      delta:
        'input' in block
          ? { type: 'input_json_delta', partial_json: JSON.stringify(block.input) }
          : { type: 'text_delta', text: block.text },
    },
    { type: 'content_block_stop', index },
  ])
  return [
    { type: 'message_start', message: { ...head, content: [], stop_reason: null } },
    ...blocks,
    { type: 'message_delta', delta: { stop_reason, stop_sequence: null }, usage: { output_tokens: 5 } },
    { type: 'message_stop' },
  ]
}
