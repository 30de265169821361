import { existsSync, readFileSync, symlinkSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'

import {
  FEATURE_DIRECTORY,
  makeRepository,
  promptOf,
  startDemoAgent,
  type DemoAgentProcess,
  type DemoRepository,
} from './demo-agent-process.ts'

let repository: DemoRepository
const agents: DemoAgentProcess[] = []
const start = async (env?: Record<string, string>): Promise<DemoAgentProcess> => {
  const agent = await startDemoAgent(env)
  agents.push(agent)
  return agent
}

beforeEach(() => {
  repository = makeRepository()
})
afterEach(async () => {
  await Promise.all(agents.splice(0).map((agent) => agent.close()))
  repository[Symbol.dispose]()
})

test('writes a specification from the sentence and shows a person each step', async () => {
  const agent = await start()
  const session = await agent.newSession(repository.path)
  const response = await agent.prompt(session, promptOf({}))
  expect(response.stopReason).toBe('end_turn')
  const spec = readFileSync(join(repository.path, FEATURE_DIRECTORY, 'spec.md'), 'utf8')
  expect(spec).toContain('offline demo agent')
  expect(spec).toContain('### User Story 1 - Upload photos (Priority: P1)')
  expect(spec).toContain('A visitor MUST be able to group photos into albums by date.')
  expect(agent.text()).toContain('```json result\n')
  const kinds = new Set(agent.updates.map((update) => update.sessionUpdate))
  expect([...kinds].toSorted()).toEqual([
    'agent_message_chunk',
    'agent_thought_chunk',
    'plan',
    'tool_call',
    'tool_call_update',
  ])
  const touched = agent.updates.flatMap((update) =>
    update.sessionUpdate === 'tool_call' ? (update.locations ?? []) : [],
  )
  expect(touched.map(({ path }) => path)).toContain(join(repository.path, FEATURE_DIRECTORY, 'spec.md'))
})

test('stops at once when it is cancelled, and takes another prompt afterwards', async () => {
  const agent = await start({ DEMO_AGENT_PACE_MS: '5000' })
  const session = await agent.newSession(repository.path)
  const running = agent.prompt(session, promptOf({}))
  await expect.poll(() => agent.updates.length).toBeGreaterThan(0)
  const began = performance.now()
  await agent.cancel(session)
  expect((await running).stopReason).toBe('cancelled')
  // Not after the pause between two steps.
  expect(performance.now() - began).toBeLessThan(4_000)
  expect(existsSync(join(repository.path, FEATURE_DIRECTORY, 'spec.md'))).toBe(false)
  const again = agent.prompt(session, promptOf({ command: 'nonsense' }))
  await expect.poll(() => agent.text()).toContain('knows no command “nonsense”')
  await agent.cancel(session)
  expect((await again).stopReason).toBe('cancelled')
})

test('a session is resumed by another process', async () => {
  const first = await start()
  const session = await first.newSession(repository.path)
  await first.prompt(session, promptOf({}))
  const second = await start()
  await second.resumeSession(session, repository.path)
  expect((await second.prompt(session, promptOf({ attempt: 2 }))).stopReason).toBe('end_turn')
})

test('a prompt without the block, and a session that nobody began, are answered', async () => {
  const agent = await start()
  const session = await agent.newSession(repository.path)
  await agent.prompt(session, 'Hello?')
  expect(agent.text()).toContain('no readable `json invocation` block')
  await expect(agent.prompt('unknown', promptOf({}))).rejects.toThrow(/Invalid params/)
})

test('does not write through a link that leads out of the working copy', async () => {
  using outside = makeRepository()
  mkdirSync(join(repository.path, 'specs'))
  symlinkSync(outside.path, join(repository.path, FEATURE_DIRECTORY))
  const agent = await start()
  const session = await agent.newSession(repository.path)
  await expect(agent.prompt(session, promptOf({}))).rejects.toThrow()
  expect(existsSync(join(outside.path, 'spec.md'))).toBe(false)
})

test('ends when its input ends', async () => {
  const agent = await start()
  agent.endInput()
  expect(await agent.exited).toBe(0)
})
