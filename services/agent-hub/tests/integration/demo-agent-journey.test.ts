import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { featureIdSchema, type Check } from '@orchestrator/contract'
import { expect, test } from 'vitest'

import type { OpenWorkingCopy } from '../../src/core/ports.ts'
import { COMMANDS, type Command } from '../../src/spec-kit/command.ts'
import { createSpecKit } from '../../src/spec-kit/index.ts'
import { workspacesOf } from '../workspaces-fixture.ts'
import {
  FEATURE_DIRECTORY,
  FEATURE_ID,
  makeRepository,
  startDemoAgent,
  type DemoAgentProcess,
} from './demo-agent-process.ts'
import { requestOf, resultOf, type RequestChange } from './demo-agent-request.ts'

/** One feature from sentence to code with the real program, a real repository, and one rejection on the way. */

const spec_kit = createSpecKit()
interface Journey extends AsyncDisposable {
  agent: DemoAgentProcess
  copy: OpenWorkingCopy
  turn: (command: Command, change?: RequestChange) => Promise<Turn>
  read: (path: string) => string
}

interface Turn {
  stop_reason: string
  changed: string[]
  checks: Check[]
  errors: Check[]
  result: ReturnType<typeof resultOf>
}

/** The hub's own order of things: prompt, turn, changes, checks, commit. */
async function begin(): Promise<Journey> {
  const origin = makeRepository()
  const data_dir = mkdtempSync(join(tmpdir(), 'demo-agent-data-'))
  const workspaces = workspacesOf(origin.path, data_dir)
  const copy = await workspaces.open('default', featureIdSchema.parse(FEATURE_ID))
  const agent = await startDemoAgent({ SPECIFY_FEATURE_DIRECTORY: join(copy.path, FEATURE_DIRECTORY) })
  const session = await agent.newSession(copy.path)
  return {
    agent,
    copy,
    read: (path) => readFileSync(join(copy.path, path), 'utf8'),
    async turn(command, change = {}) {
      const request = requestOf(command, change)
      const { stopReason } = await agent.prompt(session, await spec_kit.buildPrompt(request, copy))
      const look = await copy.look()
      const checks = await spec_kit.checkPhase({ request, working_copy: copy, look, text: agent.text() })
      await copy.commit(command)
      return {
        stop_reason: stopReason,
        changed: look.changes.map(({ path }) => path),
        checks,
        errors: checks.filter(({ level }) => level === 'error'),
        result: resultOf(agent.text()),
      }
    },
    async [Symbol.asyncDispose]() {
      await agent.close()
      origin[Symbol.dispose]()
      rmSync(data_dir, { recursive: true, force: true })
    },
  }
}

function runTests(cwd: string, files: readonly string[]): string {
  const tests = files.filter((path) => path.endsWith('.test.mjs'))
  return execFileSync(process.execPath, ['--test', '--test-reporter=tap', ...tests], {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  })
}

test('from a sentence to code, with a rejection on the way', async () => {
  await using journey = await begin()
  const { turn, read, copy } = journey
  const first = await turn('specify')
  expect(first.stop_reason).toBe('end_turn')
  expect(first.errors).toEqual([])
  expect(first.changed).toEqual([`${FEATURE_DIRECTORY}/checklists/requirements.md`, `${FEATURE_DIRECTORY}/spec.md`])
  expect(first.checks.filter(({ id, level }) => id === 'spec-open-question' && level === 'warning').length).toBe(
    first.result.open_questions.length,
  )

  const ids = [
    '11111111-1111-4111-8111-111111111111',
    '22222222-2222-4222-8222-222222222222',
    '33333333-3333-4333-8333-333333333333',
  ]
  const reworked = await turn('specify', {
    attempt: 2,
    feedback: {
      text: 'Mention rate limiting.\nReplace “albums” with “collections”.\nremove the word that nobody wrote: zebra',
      threads: [
        { id: ids[0]!, text: 'Mention rate limiting.' },
        { id: ids[1]!, path: `${FEATURE_DIRECTORY}/spec.md`, text: 'Replace “albums” with “collections”.' },
        { id: ids[2]!, text: 'Remove “zebra crossing”.' },
      ],
    },
  })
  expect(reworked.errors).toEqual([])
  expect(reworked.result.threads.map(({ id, fate }) => [id, fate])).toEqual([
    [ids[0], 'addressed'],
    [ids[1], 'addressed'],
    [ids[2], 'declined'],
  ])
  const spec = read(`${FEATURE_DIRECTORY}/spec.md`)
  expect(spec).toMatch(/- \*\*FR-\d{3}\*\*: Rate limiting MUST hold/)
  expect(spec).toMatch(/\d\. \*\*Given\*\* a person has used up the requests allowed per minute/)
  expect(spec).toContain('MUST be able to group photos into collections by date')
  expect(spec).toContain('> Let visitors upload photos and group them into albums by date.')
  expect(spec).toContain('## Review Notes')

  for (const command of COMMANDS.slice(1)) {
    const done = await turn(command)
    expect([command, done.stop_reason, done.errors]).toEqual([command, 'end_turn', []])
  }
  expect(read(`${FEATURE_DIRECTORY}/spec.md`)).not.toContain('NEEDS CLARIFICATION')
  expect(read(`${FEATURE_DIRECTORY}/checklists/plan.md`)).toContain('- [ ] CHK001 ')
  expect(read(`${FEATURE_DIRECTORY}/tasks.md`)).not.toContain('- [ ] T')

  const report = runTests(copy.path, (await copy.look()).files)
  expect(report).toContain('# fail 0')
  expect(Number(/# pass (\d+)/.exec(report)?.[1])).toBe(5)
})

test('the code of every kind of story passes its own tests', async () => {
  await using journey = await begin()
  const { turn, copy } = journey
  const feature_description =
    'Users can create notes, find notes and move notes, and delete notes. Users can share notes with friends. Users can log in with a link. Users can export notes as text.'
  for (const command of ['specify', 'plan', 'tasks', 'implement'] as const) await turn(command, { feature_description })
  const report = runTests(copy.path, (await copy.look()).files)
  expect(report).toContain('# fail 0')
  expect(Number(/# pass (\d+)/.exec(report)?.[1])).toBeGreaterThanOrEqual(8)
})
