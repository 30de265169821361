import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import {
  invocationEventSchema,
  invocationSchema,
  invokeResponseSchema,
  type Invocation,
  type InvocationEvent,
  type InvokeRequest,
  type InvokeResponse,
} from '@orchestrator/contract'
import * as z from 'zod'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const stub = fileURLToPath(new URL('stub-agent.ts', import.meta.url))

/** The stub behind the name of an agent that the registry knows: found on PATH, as a real one would be. */
export const STUB = 'gemini'

/** A hub in a process of its own, on a port that the system chose. */
export interface HubProcess {
  url: string
  process: ChildProcess
  /** Everything it wrote to stdout and stderr. */
  output(): string
  fetch(path: string, init?: RequestInit): Promise<Response>
  invoke(agent: string, body: object, headers?: Record<string, string>): Promise<Response>
  /** With `Prefer: respond-async`. */
  start(agent: string, body: object, key?: string): Promise<Invocation>
  get(id: string): Promise<Invocation>
  /** Its answer, once it is finished. */
  finish(id: string): Promise<InvokeResponse>
  /** All events after one, until the stream ends. */
  events(id: string, after?: number): Promise<InvocationEvent[]>
  /** SIGTERM; answers the exit code. */
  stop(): Promise<number | null>
  kill(): Promise<void>
}

export interface HubOptions {
  /** Everything it keeps lies below. */
  folder: string
  env?: Record<string, string>
}

function spawnHub({ folder, env = {} }: HubOptions): { child: ChildProcess; output: () => string } {
  const bin = join(folder, 'bin')
  mkdirSync(bin, { recursive: true })
  const cache = process.env['NODE_COMPILE_CACHE'] ?? ''
  const launcher = `#!/bin/sh\nNODE_COMPILE_CACHE="${cache}" exec "${process.execPath}" "${stub}"\n`
  writeFileSync(join(bin, STUB), launcher, { mode: 0o755 })
  const child = spawn(process.execPath, [main], {
    cwd: folder,
    env: {
      PATH: `${bin}:${process.env['PATH'] ?? ''}`,
      HOME: folder,
      HUB_PORT: '0',
      HUB_SANDBOX: 'off',
      LOG_LEVEL: 'info',
      NODE_COMPILE_CACHE: cache,
      // The agent behind whose name the stub stands does not run without one.
      GEMINI_API_KEY: 'no-model-takes-it',
      // The stub is counted as what it stands for, and the machine of a test may be small.
      HUB_MEMORY_MB: '100000',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text))
  return { child, output: () => output }
}

/** For a start that is refused: exit code and everything it said. */
export async function refusedStart(options: HubOptions): Promise<{ code: number | null; output: string }> {
  const { child, output } = spawnHub(options)
  await once(child, 'close')
  return { code: child.exitCode, output: output() }
}

export async function startHubProcess(options: HubOptions): Promise<HubProcess> {
  const { child, output } = spawnHub(options)
  const url = await listeningUrl(child, output)
  const token = options.env?.['AGENT_HUB_TOKEN']
  const authorization: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }

  const request = async (path: string, init: RequestInit = {}) =>
    fetch(`${url}${path}`, { ...init, headers: { ...authorization, ...(init.headers as Record<string, string>) } })
  const invoke = async (agent: string, body: object, headers: Record<string, string> = {}) =>
    request(`/invoke/${agent}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill(signal)
    await once(child, 'exit')
  }
  const events = async (id: string, after = 0) => {
    const response = await request(`/invocations/${id}/events`, { headers: { 'last-event-id': String(after) } })
    const frames = (await response.text()).split('\n\n').flatMap((frame) => /^data: (.*)$/m.exec(frame)?.slice(1) ?? [])
    return frames.map((data) => invocationEventSchema.parse(JSON.parse(data)))
  }
  const get = async (id: string) => invocationSchema.parse(await (await request(`/invocations/${id}`)).json())

  return {
    url,
    process: child,
    output,
    fetch: request,
    invoke,
    async start(agent, body, key) {
      const headers = { prefer: 'respond-async', ...(key === undefined ? {} : { 'idempotency-key': key }) }
      return invocationSchema.parse(await (await invoke(agent, body, headers)).json())
    },
    get,
    async finish(id) {
      await events(id)
      return invokeResponseSchema.parse((await get(id)).response)
    },
    events,
    async stop() {
      await end('SIGTERM')
      return child.exitCode
    },
    kill: async () => end('SIGKILL'),
  }
}

const listeningSchema = z.looseObject({ url: z.url() })

async function listeningUrl(child: ChildProcess, output: () => string): Promise<string> {
  for await (const line of createInterface({ input: child.stdout! })) {
    const found = /"url"/.test(line) ? listeningSchema.safeParse(JSON.parse(line)) : undefined
    if (found?.success === true) return found.data.url
  }
  throw new Error(`The hub did not start: ${output()}`)
}

/** A request to specify `001-login`; `said` are lines for the stub, see stub-agent.ts. */
export function specify(
  said: readonly string[] = [],
  part: { feature_id?: string; parameters?: object; phase?: string } = {},
): InvokeRequest {
  const description = [
    'People can log in with their email address and a password.',
    ...said.map((line) => `stub: ${line}`),
  ]
  return {
    workflow_type: 'specify',
    context: {
      feature_id: part.feature_id ?? '001-login',
      feature_description: description.join('\n'),
      phase: part.phase ?? 'phase_1',
    },
    parameters: { workflow_id: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff', attempt: 1, ...part.parameters },
  } as InvokeRequest
}
