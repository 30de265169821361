import type { ServerResponse } from 'node:http'

import * as z from 'zod'

import { findFolder, sendJson, type BoundStep, type Decide, type ModelRequest, type OfferedTool } from './model-step.ts'

// https://platform.openai.com/docs/api-reference/responses
const toolSchema = z.looseObject({
  type: z.string(),
  name: z.string().optional(),
  parameters: z.looseObject({ properties: z.record(z.string(), z.unknown()).default({}) }).nullish(),
})
const requestSchema = z.looseObject({
  stream: z.boolean().default(false),
  model: z.string().default('scripted'),
  instructions: z.string().nullish(),
  input: z.union([
    z.string(),
    z.array(
      z.looseObject({
        type: z.string().default('message'),
        role: z.string().optional(),
        content: z.union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))]).nullish(),
      }),
    ),
  ]),
  tools: z.array(toolSchema.extend({ tools: z.array(toolSchema).optional() })).default([]),
})
type ResponsesRequest = z.infer<typeof requestSchema>

/** Answers `POST /responses`, streaming or not. */
export function answerOpenAiResponses(body: unknown, response: ServerResponse, decide: Decide): void {
  const request = requestSchema.parse(body)
  // A side question, such as a title for the session, offers no tools: none of them is part of a script.
  const step: BoundStep = request.tools.length === 0 ? { kind: 'say', text: 'Scripted' } : decide(readRequest(request))
  if (step.kind === 'hang') return
  if (step.kind === 'fail') {
    sendJson(response, step.status, { error: { type: 'server_error', message: step.message } })
    return
  }
  const item = toItem(step)
  const finished = {
    id: `resp_${crypto.randomUUID()}`,
    object: 'response',
    created_at: Math.floor(Date.now() / 1000),
    status: 'completed',
    model: request.model,
    output: [item],
    usage: {
      input_tokens: 10,
      input_tokens_details: { cached_tokens: 0 },
      output_tokens: 5,
      output_tokens_details: { reasoning_tokens: 0 },
      total_tokens: 15,
    },
  }
  if (!request.stream) {
    sendJson(response, 200, finished)
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const events = [
    { type: 'response.created', response: { ...finished, status: 'in_progress', output: [], usage: null } },
    { type: 'response.output_item.added', output_index: 0, item: opened(item) },
    ...toDeltas(item),
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: finished },
  ]
  for (const [sequence_number, event] of events.entries()) {
    response.write(`event: ${event.type}\ndata: ${JSON.stringify({ ...event, sequence_number })}\n\n`)
  }
  response.end()
}

function readRequest(request: ResponsesRequest): ModelRequest {
  const input = typeof request.input === 'string' ? [messageOf(request.input)] : request.input
  const texts = input.map(({ content }) =>
    typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join('\n'),
  )
  const isFromPerson = ({ type, role }: (typeof input)[number]) => type === 'message' && role === 'user'
  const last = input.findLastIndex(isFromPerson)
  return {
    prompt: texts[last] ?? '',
    said: texts.filter((_, index) => input.slice(index, index + 1).some(isFromPerson)),
    tool_results: input.slice(last + 1).filter((item) => item.type.endsWith('_call_output')).length,
    tools: request.tools.flatMap((tool) => [
      ...offer(tool),
      ...(tool.tools ?? []).flatMap((inner) => offer(inner, tool.name)),
    ]),
    folder: findFolder([request.instructions ?? '', ...texts]),
  }
}

const messageOf = (content: string) => ({ type: 'message', role: 'user', content })

function offer({ type, name, parameters }: z.infer<typeof toolSchema>, namespace?: string): OfferedTool[] {
  if (type !== 'function' || name === undefined) return []
  return [
    { name, ...(namespace !== undefined && { namespace }), parameters: Object.keys(parameters?.properties ?? {}) },
  ]
}

type Item = ReturnType<typeof toItem>

function toItem(step: Extract<BoundStep, { kind: 'call' | 'say' }>) {
  if (step.kind === 'say') {
    return {
      id: `msg_${crypto.randomUUID()}`,
      type: 'message' as const,
      status: 'completed',
      role: 'assistant',
      content: [{ type: 'output_text', text: step.text, annotations: [] }],
    }
  }
  return {
    id: `fc_${crypto.randomUUID()}`,
    type: 'function_call' as const,
    status: 'completed',
    call_id: `call_${crypto.randomUUID()}`,
    ...step.call,
    arguments: JSON.stringify(step.call.arguments),
  }
}

/** As it begins: empty, to be filled by the deltas. */
const opened = (item: Item): object => ({
  ...item,
  status: 'in_progress',
  ...(item.type === 'message' ? { content: [] } : { arguments: '' }),
})

function toDeltas(item: Item): { type: string; [field: string]: unknown }[] {
  const at = { item_id: item.id, output_index: 0 }
  if (item.type === 'function_call') {
    return [
      { type: 'response.function_call_arguments.delta', ...at, delta: item.arguments },
      { type: 'response.function_call_arguments.done', ...at, arguments: item.arguments },
    ]
  }
  const part = item.content[0]
  return [
    { type: 'response.content_part.added', ...at, content_index: 0, part: { ...part, text: '' } },
    { type: 'response.output_text.delta', ...at, content_index: 0, delta: part?.text },
    { type: 'response.output_text.done', ...at, content_index: 0, text: part?.text },
    { type: 'response.content_part.done', ...at, content_index: 0, part },
  ]
}
