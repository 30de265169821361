import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { COMMANDS, type Command } from '../../src/spec-kit/command.ts'
import { demoRun, errorsOf, FEATURE_DIRECTORY } from './demo-agent-run.ts'

const SPEC = `${FEATURE_DIRECTORY}/spec.md`

const ODD: readonly string[] = [
  'banana banana banana banana banana',
  'Benutzer sollen sich mit ihrem Google-Konto anmelden können',
  'ユーザーが写真をアップロードして、アルバムに整理できるようにする',
  '🎉🎉🎉🎉🎉🎉🎉🎉🎉🎉',
  '<script>alert(1)</script><img src=x onerror=alert(2)>',
  '[FEATURE NAME] $ARGUMENTS Option 1: [NEEDS CLARIFICATION: who?] TODO [DATE]',
  '```json invocation\n{"command": "implement"}\n```',
  '# Requirements\n\n- [ ] T001 [US9] x\n- **FR-001**: y\n## Success Criteria',
  'const f = () => { return `${x}` }; function g() {}',
  '... ... ... ...',
  '| a | b |\n|---|---|\n| 1 | 2 |',
  'Delete. Export. Import. Return. New. Class.',
  'a'.repeat(20_000),
  'word '.repeat(4000),
  `${'Users can upload photos, '.repeat(700)}and share them`,
  '\u0000\u0007\uD800 lone surrogate and controls',
  '*/ process.exit(1) /* people can break out of comments',
  'Let users name things "x\'); process.exit(1); (\'" and ${code}',
]

async function allErrors(description: string): Promise<string[]> {
  const demo = demoRun(description)
  const errors: string[] = []
  for (const command of COMMANDS) {
    const { checks } = await demo.run(command)
    errors.push(...errorsOf(checks).map((check) => `${command}: ${check.id} ${check.message}`))
  }
  return errors
}

describe('whatever the description', () => {
  test.each(ODD)('all eight commands pass their own checks: %#', async (description) => {
    expect(await allErrors(description)).toEqual([])
  })

  test('… of any text', async () => {
    const texts = fc.oneof(
      fc.string({ minLength: 10, maxLength: 300, unit: 'grapheme' }),
      fc.string({ minLength: 10, maxLength: 300, unit: 'binary' }),
      fc.lorem({ maxCount: 40 }),
      fc
        .array(
          fc.constantFrom(
            'users',
            'can',
            'upload',
            'and',
            ',',
            'delete',
            'it',
            'the',
            'photos',
            '[X]',
            'to',
            'let',
            'so that',
            '.',
            '\n',
            '`',
            '<b>',
            'must',
            'as a',
            'I want',
            'with OAuth2',
          ),
          { minLength: 3, maxLength: 60 },
        )
        .map((words) => words.join(' ')),
    )
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        expect(await allErrors(text)).toEqual([])
      }),
      { numRuns: 150 },
    )
  })

  test('a specification asks one to three questions, says who wrote it, and is the same every time', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ minLength: 10, maxLength: 200, unit: 'grapheme' }), async (text) => {
        const first = await demoRun(text).run('specify')
        const second = await demoRun(text).run('specify')
        expect(second.outcome).toEqual(first.outcome)
        expect(first.outcome.open_questions.length).toBeGreaterThanOrEqual(1)
        expect(first.outcome.open_questions.length).toBeLessThanOrEqual(3)
        expect(
          first.outcome.steps
            .flatMap(({ writes }) => writes)
            .every(({ content }) => content.includes('offline demo agent')),
        ).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test('a turn takes well under 0.3 s, the longest description included', async () => {
    const before = process.cpuUsage()
    await demoRun('Users can upload photos and share them with friends; '.repeat(400).slice(0, 20_000)).run('specify')
    const { user, system } = process.cpuUsage(before)
    expect((user + system) / 1000).toBeLessThan(300)
  })
})

describe('what the description says stands in the specification', () => {
  test.each([
    ['Add user authentication with OAuth2', ['Sign in with OAuth2', 'identity provider', 'Which ways to sign in']],
    ['Users can create, edit and delete notes', ['Create notes', 'Edit notes', 'Delete notes', '**Note**']],
    [
      'As a teacher, I want to export grades as CSV so that I can send them to parents.',
      ['A teacher wants to export grades as CSV, so that they can send them to parents.', '**Grade**'],
    ],
    ['The system should retry failed webhooks', ['The system MUST retry failed webhooks.']],
    [
      'Let visitors book a table. Tables must be held for 15 minutes.',
      ['A visitor MUST be able to book a table.', 'Tables MUST be held for 15 minutes.'],
    ],
    ['Limit how often one API key may call us per minute', ['A user wants to limit how often one API key']],
    ['Benutzer sollen sich mit ihrem Google-Konto anmelden können', ['The description is not in English']],
    ['banana banana banana', ['The description names “banana” and no action.']],
  ])('%s', async (description, expected) => {
    const demo = demoRun(description)
    await demo.run('specify')
    const spec = demo.files.get(SPEC)
    for (const text of expected) expect(spec).toContain(text)
  })

  test('clarify leaves no question open and records each with its answer', async () => {
    const demo = demoRun('Let visitors upload photos and group them into albums.')
    const { outcome } = await demo.run('specify')
    const question = outcome.open_questions[0]!
    const { checks } = await demo.run('clarify', {
      additional_context: { answers: { [question]: 'JPEG up to 10 MB.' } },
    })
    const spec = demo.files.get(SPEC)!
    expect(errorsOf(checks)).toEqual([])
    expect(spec).toContain('### Session 2026-01-31')
    expect(spec).toContain(`- Q: ${question} → A: JPEG up to 10 MB.`)
    expect(spec.match(/assumed; nobody answered/g)).toHaveLength(outcome.open_questions.length - 1)
  })

  test('implement ticks exactly what it did and leaves a foreign task alone', async () => {
    const demo = demoRun('Users can create, edit and delete notes')
    for (const command of ['specify', 'plan', 'tasks'] as const satisfies Command[]) await demo.run(command)
    const path = `${FEATURE_DIRECTORY}/tasks.md`
    demo.files.set(path, `${demo.files.get(path)!}- [ ] T900 Rewrite the kernel in src/kernel.c\n`)
    const { checks, outcome } = await demo.run('implement')
    expect(errorsOf(checks).map(({ message }) => message)).toEqual(['T900 is not done.'])
    expect(outcome.report).toContain('T900')
    expect(demo.files.get(path)).toContain('- [X] T001 ')
  })

  test('converge brings back a file that a ticked task names, and else changes nothing', async () => {
    const demo = demoRun('Users can create notes')
    for (const command of ['specify', 'plan', 'tasks', 'implement'] as const satisfies Command[])
      await demo.run(command)
    expect((await demo.run('converge')).changes).toEqual([])
    demo.files.delete('src/photo-albums/entries.mjs')
    const { changes, checks } = await demo.run('converge')
    expect(changes.map(({ path }) => path)).toEqual([`${FEATURE_DIRECTORY}/tasks.md`])
    expect(errorsOf(checks)).toEqual([])
    expect(errorsOf((await demo.run('implement')).checks)).toEqual([])
    expect(demo.files.has('src/photo-albums/entries.mjs')).toBe(true)
  })
})
