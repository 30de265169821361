import type { ServerResponse } from 'node:http'

/** What the model does next, in words that every agent's tools can be bound to. */
export type Step =
  | { kind: 'write'; path: string; content: string }
  | { kind: 'bash'; command: string }
  /** Hands in a result by the hub's own tool. */
  | { kind: 'submit'; summary: string; confidence: number }
  /** Ends the turn. */
  | { kind: 'say'; text: string }
  /** Never answers. */
  | { kind: 'hang' }
  | { kind: 'fail'; status: number; message: string }

/** What a model is to do in a turn, from the prompt of that turn. A script that is used up says `Done.` */
export type Script = (prompt: string) => readonly Step[]

/** A tool as the agent offers it to its model. */
export interface OfferedTool {
  name: string
  /** Names of its parameters. */
  parameters: readonly string[]
}

/** What one request to the model tells, whatever its wire format. */
export interface ModelRequest {
  /** Text of the last message of the person. */
  prompt: string
  /** Tool results after it: as many steps are done. */
  tool_results: number
  tools: readonly OfferedTool[]
}

export interface ToolCall {
  name: string
  arguments: Record<string, string | number>
}

/** A step bound to the agent's own tools. */
export type BoundStep =
  | { kind: 'call'; call: ToolCall }
  | { kind: 'say'; text: string }
  | { kind: 'hang' }
  | { kind: 'fail'; status: number; message: string }

export type Decide = (request: ModelRequest) => BoundStep

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

const WRITE_TOOL = /^(write|write_file|create_file|Write)$/
const SUBMIT_TOOL = /submit_result$/
const BASH_TOOL = /^(bash|Bash|shell|run_shell_command|execute)$/

export function bindStep(step: Step, tools: readonly OfferedTool[]): BoundStep {
  switch (step.kind) {
    case 'write':
      return bindCall(tools, WRITE_TOOL, [
        [['file_path', 'filePath', 'path', 'absolute_path'], step.path],
        [['content', 'contents', 'text'], step.content],
      ])
    case 'bash':
      return bindCall(tools, BASH_TOOL, [
        [['command', 'cmd'], step.command],
        [['description'], 'A command of the script'],
      ])
    case 'submit':
      return bindCall(tools, SUBMIT_TOOL, [
        [['summary'], step.summary],
        [['confidence'], step.confidence],
      ])
    default:
      return step
  }
}

function bindCall(
  tools: readonly OfferedTool[],
  name: RegExp,
  values: readonly [string[], string | number][],
): BoundStep {
  const tool = tools.find((candidate) => name.test(candidate.name))
  if (tool === undefined) {
    const offered = tools.map((candidate) => candidate.name).join(', ')
    return { kind: 'say', text: `The script needs a tool ${String(name)}; offered are ${offered}.` }
  }
  const entries = values.flatMap(([names, value]) =>
    names
      .filter((candidate) => tool.parameters.includes(candidate))
      .map((candidate): [string, string | number] => [candidate, value]),
  )
  return { kind: 'call', call: { name: tool.name, arguments: Object.fromEntries(entries) } }
}
