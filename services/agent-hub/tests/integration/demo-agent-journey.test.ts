import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

import type { ChangedFile, WorkingCopy } from '../../src/core/ports.ts'
import { COMMANDS, type Command } from '../../src/spec-kit/command.ts'
import { createSpecKit } from '../../src/spec-kit/index.ts'
import {
  FEATURE_DIRECTORY,
  FEATURE_ID,
  makeRepository,
  startDemoAgent,
  type DemoAgentProcess,
  type DemoRepository,
} from './demo-agent-process.ts'
import { requestOf, resultOf } from './demo-agent-request.ts'

/** One feature from sentence to code with the real program, a real repository, and one rejection on the way. */

const spec_kit = createSpecKit()
let repository: DemoRepository
let agent: DemoAgentProcess
let session: string

beforeAll(async () => {
  repository = makeRepository()
  agent = await startDemoAgent({ SPECIFY_FEATURE_DIRECTORY: join(repository.path, FEATURE_DIRECTORY) })
  session = await agent.newSession(repository.path)
})
afterAll(async () => {
  await agent.close()
  repository[Symbol.dispose]()
})

const read = (path: string): string => readFileSync(join(repository.path, path), 'utf8')
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '')

const working_copy = (): WorkingCopy => ({
  path: repository.path,
  feature_directory: FEATURE_DIRECTORY,
  reset: () => Promise.resolve(),
  listChanges: () => Promise.resolve(changes()),
  readFile: (path) => Promise.resolve(tryRead(() => readFileSync(join(repository.path, path)))),
  readCommitted: (path) => Promise.resolve(tryRead(() => Buffer.from(repository.git('show', `HEAD:${path}`)))),
  listFeatureFiles: () => Promise.resolve(allFiles().filter((path) => path.startsWith(`${FEATURE_DIRECTORY}/`))),
  listFiles: () => Promise.resolve(allFiles()),
  commit: () => Promise.resolve(null),
})
const allFiles = (): string[] =>
  lines(repository.git('ls-files', '--cached', '--others', '--exclude-standard')).toSorted()
const CHANGE: Readonly<Record<string, ChangedFile['change']>> = { '??': 'added', ' M': 'modified', ' D': 'deleted' }
const changes = (): ChangedFile[] =>
  lines(repository.git('status', '--porcelain', '--untracked-files=all')).map((line) => ({
    path: line.slice(3),
    change: CHANGE[line.slice(0, 2)] ?? 'modified',
  }))

function tryRead(action: () => Uint8Array): Uint8Array | undefined {
  try {
    return action()
  } catch {
    return undefined
  }
}

async function turn(command: Command, change: Parameters<typeof requestOf>[1] = {}) {
  const request = requestOf(command, change)
  const copy = working_copy()
  const prompt = await spec_kit.buildPrompt(request, copy)
  const { stopReason } = await agent.prompt(session, prompt)
  const changed = changes()
  const checks = await spec_kit.checkPhase({ request, working_copy: copy, changes: changed, text: agent.text() })
  repository.git('add', '--all')
  repository.git('commit', '--quiet', '--allow-empty', '--message', command)
  return {
    stopReason,
    changed: changed.map(({ path }) => path),
    errors: checks.filter(({ level }) => level === 'error'),
    checks,
    result: resultOf(agent.text()),
  }
}

test('from a sentence to code, with a rejection on the way', { timeout: 60_000 }, async () => {
  const first = await turn('specify')
  expect(first.stopReason).toBe('end_turn')
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
    expect([command, done.stopReason, done.errors]).toEqual([command, 'end_turn', []])
  }
  expect(read(`${FEATURE_DIRECTORY}/spec.md`)).not.toContain('NEEDS CLARIFICATION')
  expect(read(`${FEATURE_DIRECTORY}/checklists/plan.md`)).toContain('- [ ] CHK001 ')
  expect(read(`${FEATURE_DIRECTORY}/tasks.md`)).not.toContain('- [ ] T')

  const tests = allFiles().filter((path) => path.endsWith('.test.mjs'))
  expect(tests.length).toBeGreaterThanOrEqual(3)
  const report = execFileSync(process.execPath, ['--test', '--test-reporter=tap', ...tests], {
    cwd: repository.path,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] },
  })
  expect(report).toContain('# fail 0')
  expect(FEATURE_ID).toBe('007-photo-albums')
})

test('the code of every kind of story passes its own tests', { timeout: 60_000 }, async () => {
  using other = makeRepository()
  const program = await startDemoAgent()
  try {
    const other_session = await program.newSession(other.path)
    const description =
      'Users can create notes, find notes and move notes, and delete notes. Users can share notes with friends. Users can log in with a link. Users can export notes as text.'
    for (const command of ['specify', 'plan', 'tasks', 'implement'] as const) {
      await program.prompt(
        other_session,
        await spec_kit.buildPrompt(requestOf(command, { feature_description: description }), {
          ...working_copy(),
          path: other.path,
        }),
      )
    }
    const files = lines(other.git('ls-files', '--others'))
    const tests = files.filter((path) => path.endsWith('.test.mjs'))
    const report = execFileSync(process.execPath, ['--test', '--test-reporter=tap', ...tests], {
      cwd: other.path,
      encoding: 'utf8',
      env: { PATH: process.env['PATH'] },
    })
    expect(report).toContain('# fail 0')
    expect(Number(/# pass (\d+)/.exec(report)?.[1])).toBeGreaterThanOrEqual(8)
  } finally {
    await program.close()
  }
})
