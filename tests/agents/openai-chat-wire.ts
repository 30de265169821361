import type { ServerResponse } from 'node:http'

import * as z from 'zod'

import { findFolder, sendJson, type BoundStep, type Decide, type ModelRequest } from './model-step.ts'

// https://platform.openai.com/docs/api-reference/chat
const contentSchema = z
  .union([z.string(), z.array(z.looseObject({ text: z.string().optional() }))])
  .nullish()
  .transform((content) =>
    typeof content === 'string' ? content : (content ?? []).map((part) => part.text ?? '').join('\n'),
  )
const requestSchema = z.looseObject({
  stream: z.boolean().default(false),
  model: z.string().default('scripted'),
  messages: z.array(z.looseObject({ role: z.string(), content: contentSchema })),
  tools: z
    .array(
      z.looseObject({
        function: z.looseObject({
          name: z.string(),
          parameters: z.looseObject({ properties: z.record(z.string(), z.unknown()).default({}) }).optional(),
        }),
      }),
    )
    .default([]),
})
type ChatRequest = z.infer<typeof requestSchema>

/** Answers `POST /chat/completions`, streaming or not. */
export function answerOpenAiChat(body: unknown, response: ServerResponse, decide: Decide): void {
  const request = requestSchema.parse(body)
  // A side question, such as a title for the session, offers no tools: none of them is part of a script.
  const step: BoundStep = request.tools.length === 0 ? { kind: 'say', text: 'Scripted' } : decide(readRequest(request))
  if (step.kind === 'hang') return
  if (step.kind === 'fail') {
    sendJson(response, step.status, { error: { type: 'server_error', message: step.message } })
    return
  }
  const head = { id: `chatcmpl-${crypto.randomUUID()}`, created: Math.floor(Date.now() / 1000), model: request.model }
  const finish_reason = step.kind === 'call' ? 'tool_calls' : 'stop'
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 }
  if (!request.stream) {
    const choice = { index: 0, message: toMessage(step), finish_reason }
    sendJson(response, 200, { ...head, object: 'chat.completion', choices: [choice], usage })
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const send = (chunk: object): void => {
    response.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...chunk })}\n\n`)
  }
  send({ choices: [{ index: 0, delta: toMessage(step), finish_reason: null }] })
  send({ choices: [{ index: 0, delta: {}, finish_reason }] })
  send({ choices: [], usage })
  response.end('data: [DONE]\n\n')
}

function readRequest(request: ChatRequest): ModelRequest {
  const last = request.messages.findLastIndex((message) => message.role === 'user')
  return {
    prompt: request.messages[last]?.content ?? '',
    said: request.messages.filter((message) => message.role === 'user').map(({ content }) => content),
    tool_results: request.messages.slice(last + 1).filter((message) => message.role === 'tool').length,
    tools: request.tools.map((tool) => ({
      name: tool.function.name,
      parameters: Object.keys(tool.function.parameters?.properties ?? {}),
    })),
    folder: findFolder(request.messages.map(({ content }) => content)),
  }
}

/** A whole message, or the one piece of a streamed one. */
function toMessage(step: Extract<BoundStep, { kind: 'call' | 'say' }>): object {
  if (step.kind === 'say') return { role: 'assistant', content: step.text }
  const call = { name: step.call.name, arguments: JSON.stringify(step.call.arguments) }
  return {
    role: 'assistant',
    content: null,
    tool_calls: [{ index: 0, id: `call_${crypto.randomUUID()}`, type: 'function', function: call }],
  }
}
