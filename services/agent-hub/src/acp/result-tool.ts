import * as z from 'zod'

import type { AgentResult } from '../core/ports.ts'

/** Newest first. https://modelcontextprotocol.io/specification */
const PROTOCOL_VERSIONS = ['2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'] as const

const text = (max: number) => z.string().max(max)

const resultSchema = z.object({
  summary: text(20_000).min(1).describe('One or two sentences for the reviewer'),
  confidence: z.number().min(0).max(100).describe('How sure you are that the work is right and complete'),
  files: z.array(text(1000)).max(2000).default([]).describe('Paths of the files you wrote, from the working copy'),
  open_questions: z.array(text(20_000)).max(100).default([]).describe('What only a person can decide'),
  threads: z
    .array(
      z.object({
        id: text(200).describe('Id of a reviewer’s comment'),
        fate: z.enum(['addressed', 'declined']),
        reply: text(20_000).describe('What you changed, or why not'),
      }),
    )
    .max(1000)
    .default([])
    .describe('One answer to each comment of the reviewer, where there are any'),
})

const { $schema: _, ...input_schema } = z.toJSONSchema(resultSchema, { io: 'input', target: 'draft-7' })

const TOOL = {
  name: 'submit_result',
  title: 'Submit the result',
  description: 'Hand in the result of this run. Call it once, when all the work is done; a later call replaces it.',
  inputSchema: input_schema,
}

const requestSchema = z.looseObject({
  jsonrpc: z.literal('2.0'),
  id: z.union([z.string(), z.number()]).optional(),
  method: z.string(),
  params: z.looseObject({}).optional(),
})
const callSchema = z.looseObject({ name: z.string(), arguments: z.unknown() })

const INVALID_REQUEST = -32_600
const METHOD_NOT_FOUND = -32_601
const INVALID_PARAMS = -32_602

/**
 * Answers one message of the Model Context Protocol; undefined for a notification, which gets none. `deliver` answers
 * whether a turn runs that the result belongs to.
 */
export function answerMcp(message: unknown, deliver: (result: AgentResult) => boolean): object | undefined {
  const request = requestSchema.safeParse(message).data
  if (request === undefined) return fault(null, INVALID_REQUEST, 'This is no JSON-RPC 2.0 request.')
  const { id, method, params } = request
  if (id === undefined) return undefined
  const answer = (result: object) => ({ jsonrpc: '2.0', id, result })
  switch (method) {
    case 'initialize':
      return answer({
        protocolVersion:
          PROTOCOL_VERSIONS.find((known) => known === params?.['protocolVersion']) ?? PROTOCOL_VERSIONS[0],
        capabilities: { tools: {} },
        serverInfo: { name: 'orchestrator', version: '0.1.0' },
      })
    case 'ping':
      return answer({})
    case 'tools/list':
      return answer({ tools: [TOOL] })
    case 'tools/call': {
      const call = callSchema.safeParse(params).data
      if (call?.name !== TOOL.name) return fault(id, INVALID_PARAMS, `The only tool here is ${TOOL.name}.`)
      return answer(submit(call.arguments, deliver))
    }
    default:
      return fault(id, METHOD_NOT_FOUND, `There is no method ${method.slice(0, 100)} here.`)
  }
}

/** What is wrong with the arguments is told as the tool's answer, which a model reads and mends. */
function submit(given: unknown, deliver: (result: AgentResult) => boolean): object {
  const result = resultSchema.safeParse(given)
  if (!result.success) return said(z.prettifyError(result.error), true)
  return deliver(result.data)
    ? said('Received. End your turn now with a short closing message.', false)
    : said('No turn is running that this result could belong to.', true)
}

const said = (text: string, is_error: boolean) => ({ content: [{ type: 'text', text }], isError: is_error })
const fault = (id: string | number | null, code: number, message: string) => ({
  jsonrpc: '2.0',
  id,
  error: { code, message },
})
