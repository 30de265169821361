import {
  client,
  methods,
  ndJsonStream,
  PROTOCOL_VERSION,
  type PromptResponse,
  type SessionUpdate,
} from '@agentclientprotocol/sdk'
import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'

import { formatInvocationBlock, type InvocationBlock } from '../../src/spec-kit/invocation-block.ts'

const MAIN = join(import.meta.dirname, '../../src/demo-agent/main.ts')

export interface DemoAgentProcess {
  pid: number
  exited: Promise<number | null>
  newSession(cwd: string): Promise<string>
  resumeSession(session_id: string, cwd: string): Promise<void>
  prompt(session_id: string, text: string): Promise<PromptResponse>
  cancel(session_id: string): Promise<void>
  /** All updates so far, in the order of arrival. */
  updates: SessionUpdate[]
  /** Text of the messages since the last prompt. */
  text(): string
  /** As a hub that went away. */
  endInput(): void
  close(): Promise<void>
}

/** The real program over real pipes. */
export async function startDemoAgent(env: Record<string, string> = {}): Promise<DemoAgentProcess> {
  const child = spawn(process.execPath, [MAIN], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      PATH: process.env['PATH'] ?? '',
      NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'] ?? '',
      DEMO_AGENT_DATE: '2026-01-31',
      ...env,
    },
  })
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const updates: SessionUpdate[] = []
  let messages = ''
  const connection = client({ name: 'test' })
    .onNotification(methods.client.session.update, ({ params: { update } }) => {
      updates.push(update)
      if (update.sessionUpdate === 'agent_message_chunk' && update.content.type === 'text')
        messages += update.content.text
    })
    .connect(ndJsonStream(Writable.toWeb(child.stdin), Readable.toWeb(child.stdout) as ReadableStream<Uint8Array>))
  const { agent } = connection
  await agent.request(methods.agent.initialize, { protocolVersion: PROTOCOL_VERSION, clientCapabilities: {} })
  return {
    pid: child.pid ?? 0,
    exited,
    updates,
    async newSession(cwd) {
      return (await agent.request(methods.agent.session.new, { cwd, mcpServers: [] })).sessionId
    },
    async resumeSession(session_id, cwd) {
      await agent.request(methods.agent.session.resume, { sessionId: session_id, cwd, mcpServers: [] })
    },
    prompt(session_id, text) {
      messages = ''
      return agent.request(methods.agent.session.prompt, { sessionId: session_id, prompt: [{ type: 'text', text }] })
    },
    cancel: (session_id) => agent.notify(methods.agent.session.cancel, { sessionId: session_id }),
    text: () => messages,
    endInput: () => void child.stdin.end(),
    async close() {
      connection.close()
      child.stdin.end()
      child.kill()
      await exited
    },
  }
}

export interface DemoRepository extends Disposable {
  path: string
  git(...args: string[]): string
}

/** An empty git repository with one commit. */
export function makeRepository(): DemoRepository {
  const path = mkdtempSync(join(tmpdir(), 'demo-agent-'))
  const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.invalid']
  const git = (...args: string[]): string =>
    execFileSync('git', [...identity, ...args], { cwd: path, encoding: 'utf8' })
  git('init', '--quiet', '--initial-branch=main')
  git('commit', '--quiet', '--allow-empty', '--message', 'begin')
  return { path, git, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

export const FEATURE_ID = '007-photo-albums'
export const FEATURE_DIRECTORY = `specs/${FEATURE_ID}`

export const blockOf = (change: Partial<InvocationBlock>): InvocationBlock => ({
  command: 'specify',
  feature_id: FEATURE_ID,
  feature_directory: FEATURE_DIRECTORY,
  feature_description: 'Let visitors upload photos and group them into albums by date.',
  workflow_type: 'specify',
  phase: 'phase_1',
  attempt: 1,
  additional_context: null,
  feedback: null,
  ...change,
})

export const promptOf = (change: Partial<InvocationBlock>): string =>
  `Please do this.\n\n${formatInvocationBlock(blockOf(change))}\n`
