import type { ServerResponse } from 'node:http'
import { dirname, join } from 'node:path'

/** What the model does next, in words that every agent's tools can be bound to. */
export type Step =
  /** `replaces`: by the shell, for a tool may refuse a file that its process neither wrote nor read. */
  | { kind: 'write'; path: string; content: string; replaces?: boolean }
  | { kind: 'bash'; command: string }
  /** Hands in a result by the hub's own tool. */
  | { kind: 'submit'; summary: string; confidence: number; threads?: object[]; open_questions?: string[] }
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
  /** Of tools that come in groups. */
  namespace?: string
  /** Names of its parameters. */
  parameters: readonly string[]
}

/** What one request to the model tells, whatever its wire format. */
export interface ModelRequest {
  /** Text of the last message of the person. */
  prompt: string
  /** All that the person said in this conversation, oldest first. */
  said: readonly string[]
  /** Tool results after it: as many steps are done. */
  tool_results: number
  tools: readonly OfferedTool[]
  /** The working copy, where the agent tells its model of it: some tools want absolute paths. */
  folder: string | undefined
}

export interface ToolCall {
  name: string
  namespace?: string
  arguments: Record<string, string | number | boolean | readonly unknown[]>
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

const FOLDER = /(?:<cwd>|working directory: |working in the directory: )(\/[^\s<]+)/i

/** From whatever an agent says to its model beside the prompt. */
export function findFolder(texts: readonly string[]): string | undefined {
  return texts.map((text) => FOLDER.exec(text)?.[1]).find((folder) => folder !== undefined)
}

const WRITE_TOOL = /^(write|write_file|create_file|Write)$/
const SUBMIT_TOOL = /submit_result$/
const BASH_TOOL = /^(bash|Bash|shell|run_shell_command|exec_command|execute)$/

export function bindStep(step: Step, { tools, folder }: Pick<ModelRequest, 'tools' | 'folder'>): BoundStep {
  switch (step.kind) {
    case 'write': {
      // So does an agent without such a tool.
      if (step.replaces === true || !tools.some((tool) => WRITE_TOOL.test(tool.name)))
        return bindStep(writeByShell(step), { tools, folder })
      return bindCall(tools, WRITE_TOOL, [
        [['file_path', 'filePath', 'path', 'absolute_path'], join(folder ?? '', step.path)],
        [['content', 'contents', 'text', 'file_text'], step.content],
      ])
    }
    case 'bash':
      return bindCall(tools, BASH_TOOL, [
        [['command', 'cmd'], step.command],
        [['description'], 'A command of the script'],
        [['is_background'], false],
      ])
    case 'submit':
      return bindCall(tools, SUBMIT_TOOL, [
        [['summary'], step.summary],
        [['confidence'], step.confidence],
        [['threads'], step.threads ?? []],
        [['open_questions'], step.open_questions ?? []],
      ])
    default:
      return step
  }
}

/** Without `$(…)`, which some agents refuse in a command. */
function writeByShell({ path, content }: Extract<Step, { kind: 'write' }>): Step {
  return { kind: 'bash', command: `mkdir -p ${dirname(path)} && cat > ${path} <<'WRITTEN'\n${content}WRITTEN` }
}

function bindCall(
  tools: readonly OfferedTool[],
  wanted: RegExp,
  values: readonly [string[], ToolCall['arguments'][string]][],
): BoundStep {
  const tool = tools.find((candidate) => wanted.test(candidate.name))
  if (tool === undefined) {
    const offered = tools.map((candidate) => candidate.name).join(', ')
    return { kind: 'say', text: `The script needs a tool ${String(wanted)}; offered are ${offered}.` }
  }
  const entries = values.flatMap(([names, value]) =>
    names.filter((name) => tool.parameters.includes(name)).map((name) => [name, value] as const),
  )
  const { name, namespace } = tool
  return {
    kind: 'call',
    call: { name, ...(namespace !== undefined && { namespace }), arguments: Object.fromEntries(entries) },
  }
}
