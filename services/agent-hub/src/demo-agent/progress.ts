import { methods, type AgentContext, type PlanEntry, type SessionUpdate } from '@agentclientprotocol/sdk'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

import type { Step } from './outcome.ts'

export interface ProgressOptions {
  client: AgentContext
  session_id: string
  cwd: string
  /** Pause between two steps, so that a person can watch. */
  pace_ms: number
  signal: AbortSignal
}

/** What a turn tells while it works. Every call rejects once the turn is cancelled. */
export interface Progress {
  think(text: string): Promise<void>
  say(text: string): Promise<void>
  plan(steps: readonly Step[], done: number): Promise<void>
  /** Tells of one file before and after the work on it. */
  tool(title: string, kind: 'read' | 'edit', path: string, work: () => Promise<string | undefined>): Promise<void>
}

export function createProgress({ client, session_id, cwd, pace_ms, signal }: ProgressOptions): Progress {
  async function send(update: SessionUpdate): Promise<void> {
    signal.throwIfAborted()
    await client.notify(methods.client.session.update, { sessionId: session_id, update })
  }
  async function pause(): Promise<void> {
    if (pace_ms > 0) await wait(pace_ms, undefined, { signal })
    signal.throwIfAborted()
  }
  const chunk = (sessionUpdate: 'agent_message_chunk' | 'agent_thought_chunk', text: string): Promise<void> =>
    send({ sessionUpdate, content: { type: 'text', text } })

  return {
    async think(text) {
      // Chunks are pieces of one text: without an end of line the next thought would stick to this one.
      await chunk('agent_thought_chunk', `${text}\n`)
      await pause()
    },
    async say(text) {
      for (const line of text.split(/(?<=\n)(?=\S)/)) await chunk('agent_message_chunk', line)
      await pause()
    },
    plan: (steps, done) =>
      send({ sessionUpdate: 'plan', entries: steps.map((step, index) => planEntry(step, index, done)) }),
    async tool(title, kind, path, work) {
      const toolCallId = randomUUID()
      const locations = [{ path: join(cwd, path) }]
      await send({ sessionUpdate: 'tool_call', toolCallId, title, kind, status: 'in_progress', locations })
      await pause()
      const text = await work()
      const content = text === undefined ? [] : [{ type: 'content' as const, content: { type: 'text' as const, text } }]
      await send({ sessionUpdate: 'tool_call_update', toolCallId, status: 'completed', locations, content })
    },
  }
}

const planEntry = (step: Step, index: number, done: number): PlanEntry => ({
  content: step.title,
  priority: index === 0 ? 'high' : 'medium',
  status: index < done ? 'completed' : index === done ? 'in_progress' : 'pending',
})
