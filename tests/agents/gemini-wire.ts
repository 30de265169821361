import type { ServerResponse } from 'node:http'

import * as z from 'zod'

import { findFolder, sendJson, type BoundStep, type Decide, type ModelRequest } from './model-step.ts'

// https://ai.google.dev/api/generate-content
const schemaSchema = z.looseObject({ properties: z.record(z.string(), z.unknown()).default({}) })
const requestSchema = z.looseObject({
  contents: z.array(
    z.looseObject({
      role: z.string().optional(),
      parts: z
        .array(z.looseObject({ text: z.string().optional(), functionResponse: z.unknown().optional() }))
        .default([]),
    }),
  ),
  tools: z
    .array(
      z.looseObject({
        functionDeclarations: z
          .array(
            z.looseObject({
              name: z.string(),
              parameters: schemaSchema.optional(),
              parametersJsonSchema: schemaSchema.optional(),
            }),
          )
          .default([]),
      }),
    )
    .default([]),
})

/** Answers `models/NAME:streamGenerateContent`, `:generateContent` and `:countTokens`. */
export function answerGemini(pathname: string, body: unknown, response: ServerResponse, decide: Decide): void {
  if (pathname.endsWith(':countTokens')) {
    sendJson(response, 200, { totalTokens: 10 })
    return
  }
  if (pathname.endsWith(':generateContent')) {
    // Side questions of the agent to a lesser model, such as who speaks next: none of them is part of a script.
    sendJson(response, 200, toChunk({ kind: 'say', text: '{"reasoning":"scripted","next_speaker":"user"}' }))
    return
  }
  const step = decide(readRequest(body))
  if (step.kind === 'hang') return
  if (step.kind === 'fail') {
    sendJson(response, step.status, { error: { code: step.status, message: step.message, status: 'UNAVAILABLE' } })
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.end(`data: ${JSON.stringify(toChunk(step))}\r\n\r\n`)
}

function readRequest(body: unknown): ModelRequest {
  const request = requestSchema.parse(body)
  const said = request.contents.map((content) => ({
    from_person: content.role !== 'model' && content.parts.every((part) => part.functionResponse === undefined),
    results: content.parts.filter((part) => part.functionResponse !== undefined).length,
    text: content.parts.map((part) => part.text ?? '').join('\n'),
  }))
  const last = said.findLastIndex((content) => content.from_person)
  return {
    prompt: said[last]?.text ?? '',
    said: said.filter((content) => content.from_person).map(({ text }) => text),
    tool_results: said.slice(last + 1).reduce((sum, content) => sum + content.results, 0),
    tools: request.tools.flatMap((tool) =>
      tool.functionDeclarations.map((declaration) => ({
        name: declaration.name,
        parameters: Object.keys((declaration.parametersJsonSchema ?? declaration.parameters)?.properties ?? {}),
      })),
    ),
    folder: findFolder(said.map(({ text }) => text)),
  }
}

function toChunk(step: Extract<BoundStep, { kind: 'call' | 'say' }>): unknown {
  const part =
    step.kind === 'call' ? { functionCall: { name: step.call.name, args: step.call.arguments } } : { text: step.text }
  return {
    candidates: [{ index: 0, content: { role: 'model', parts: [part] }, finishReason: 'STOP' }],
    usageMetadata: { promptTokenCount: 10, candidatesTokenCount: 5, totalTokenCount: 15 },
    modelVersion: 'scripted',
  }
}
