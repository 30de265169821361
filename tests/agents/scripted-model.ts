import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { answerAnthropic } from './anthropic-wire.ts'
import { answerGemini } from './gemini-wire.ts'
import { answerOpenAiChat } from './openai-chat-wire.ts'
import { answerOpenAiResponses } from './openai-responses-wire.ts'
import { bindStep, sendJson, type BoundStep, type Decide, type ModelRequest, type Script } from './model-step.ts'

export interface ScriptedModel extends AsyncDisposable {
  /** `http://127.0.0.1:PORT`, the base address for any of the wire formats. */
  url: string
  /** Every request that was understood, oldest first. */
  requests: readonly ModelRequest[]
  /** Keys that were sent: what an agent holds. */
  keys: ReadonlySet<string>
}

/**
 * A model without a model, on loopback: speaks Gemini (`streamGenerateContent`), Anthropic Messages, OpenAI Chat
 * Completions and OpenAI Responses, all streaming. It keeps nothing between two requests: the prompt selects the script, the number of tool results
 * the step, so that any number of sessions run at once and any of them may be resumed.
 */
export async function startScriptedModel(script: Script): Promise<ScriptedModel> {
  const requests: ModelRequest[] = []
  const keys = new Set<string>()
  const decide = (request: ModelRequest): BoundStep => {
    requests.push(request)
    const step = script(request.prompt)[request.tool_results]
    return step === undefined ? { kind: 'say', text: 'Done.' } : bindStep(step, request)
  }
  const server = createServer((request, response) => {
    void answer(request, response, decide, keys).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    keys,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  decide: Decide,
  keys: Set<string>,
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString('utf8')
  const body: unknown = text === '' ? {} : JSON.parse(text)
  const key = request.headers['x-goog-api-key'] ?? request.headers['x-api-key'] ?? request.headers.authorization
  if (typeof key === 'string') keys.add(key)
  const { pathname } = new URL(request.url ?? '/', 'http://localhost')
  if (pathname.includes(':')) answerGemini(pathname, body, response, decide)
  else if (pathname.endsWith('/chat/completions')) answerOpenAiChat(body, response, decide)
  else if (pathname.endsWith('/responses')) answerOpenAiResponses(body, response, decide)
  else if (pathname.endsWith('/messages')) answerAnthropic(body, response, decide)
  else if (pathname.endsWith('/messages/count_tokens')) sendJson(response, 200, { input_tokens: 10 })
  else sendJson(response, 404, { error: { type: 'not_found_error', message: `no ${pathname} here` } })
}
