import type { RequestError } from '@agentclientprotocol/sdk'
import * as z from 'zod'

import { stripControls } from './bounded-text.ts'
import { StreamError } from './message-stream.ts'

/** An agent failed; `message` is a sentence for a person. */
export class AgentFailure extends Error {
  override readonly name = 'AgentFailure'
  readonly timeout: boolean

  constructor(message: string, timeout = false) {
    super(message)
    this.timeout = timeout
  }
}

/** Turns what went wrong into an AgentFailure; the end of the process explains a broken pipe better than the pipe. */
export async function explain(problem: unknown, broken: Promise<never>): Promise<Error> {
  if (problem instanceof AgentFailure || problem instanceof AbortedError) return problem
  if (isRpcError(problem)) return new AgentFailure(describeRpcError(problem))
  if (problem instanceof StreamError) return new AgentFailure(problem.message)
  if (problem instanceof z.ZodError) return new AgentFailure('sent an answer that is no ACP')
  const cause = await Promise.race([broken, delay(1_500)]).catch((reason: unknown) => reason)
  if (cause instanceof AgentFailure) return cause
  return new AgentFailure(`failed: ${problem instanceof Error ? problem.message : String(problem)}`)
}

/** By its number, since the system's errors have words: not by its class, whose library only a turn needs. */
function isRpcError(problem: unknown): problem is RequestError {
  return problem instanceof Error && 'code' in problem && typeof problem.code === 'number'
}

const AUTH_REQUIRED = -32_000

function describeRpcError(error: RequestError): string {
  const data = z.looseObject({ details: z.string() }).safeParse(error.data).data?.details
  const said = quote(data === undefined ? error.message : `${error.message}: ${data}`)
  return error.code === AUTH_REQUIRED
    ? `wants to be signed in: set the key of its model in the hub's environment. It said: ${said}`
    : `answered with an error: ${said}`
}

export class AbortedError extends Error {
  override readonly name = 'AbortedError'
}

export async function aborted(signal: AbortSignal): Promise<never> {
  return await new Promise((_resolve, reject) => {
    const stop = (): void => reject(new AbortedError('The turn was cancelled'))
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
}

async function delay(ms: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}

export function lastWords(stderr: string, noise: string): string {
  const said = quote(stderr === '' ? noise : stderr)
  return said === '' ? '' : `. Its last words: ${said}`
}

/** One line of at most 600 characters, from the end. */
export function quote(text: string): string {
  const line = stripControls(text).replace(/\s+/g, ' ').trim()
  return line.length > 600 ? `… ${line.slice(-600)}` : line
}
