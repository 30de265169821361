import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { readComment } from '../../src/demo-agent/comments.ts'
import { demoRun, errorsOf, FEATURE_DIRECTORY, type DemoRun } from './demo-agent-run.ts'
import type { Command } from '../../src/spec-kit/command.ts'

const SPEC = `${FEATURE_DIRECTORY}/spec.md`
const ID = '11111111-1111-4111-8111-111111111111'

interface Comment {
  text: string
  path?: string
  quote?: string
  lines?: { start: number; end: number }
  replacement?: string
}

async function written(...commands: Command[]): Promise<DemoRun> {
  const demo = demoRun('Let visitors upload photos and group them into albums. Photos are kept for a year.')
  for (const command of commands) await demo.run(command)
  return demo
}

const rework = (demo: DemoRun, command: Command, comment: Comment) =>
  demo.run(command, { attempt: 2, feedback: { text: comment.text, threads: [{ id: ID, ...comment }] } })

describe('what a comment asks for', () => {
  test.each([
    ['Replace “a b” with “c”', { kind: 'replace', from: 'a b', to: 'c' }],
    ['please change photos to pictures.', { kind: 'replace', from: 'photos', to: 'pictures' }],
    ['Use passkeys instead of passwords', { kind: 'replace', from: 'passwords', to: 'passkeys' }],
    ['Remove the word “always”.', { kind: 'remove', what: 'always' }],
    ['delete this', { kind: 'remove', what: 'quoted' }],
    ['should read: Guests', { kind: 'replace', from: 'quoted', to: 'Guests' }],
    ['What happens at midnight?', { kind: 'ask', question: 'What happens at midnight?' }],
    ['What about rate limiting?', { kind: 'require', topic: 'rate limiting' }],
    ['Could you please mention rate limiting', { kind: 'require', topic: 'rate limiting' }],
    ['replace “the” with “[NEEDS CLARIFICATION: x]”', { kind: 'replace', from: 'the', to: 'x' }],
    ['LGTM!', { kind: 'nothing' }],
    ['👍', { kind: 'nothing' }],
  ])('%s', (text, expected) => {
    expect(readComment({ text, quote: 'quoted' })).toMatchObject(expected)
  })
})

describe('a rework of the specification', () => {
  test.each<[string, Comment, string]>([
    ['a wish that is well known', { text: 'mention rate limiting' }, 'Rate limiting MUST hold'],
    [
      'a wish that is not',
      { text: 'Please add a keyboard shortcut for uploading' },
      'The system MUST offer a keyboard shortcut for uploading.',
    ],
    ['a rule', { text: 'Photos must never be public in story 2' }, 'Photos MUST never be public.'],
    ['a question', { text: 'What happens when the disk is full?' }, '- What happens when the disk is full? '],
    ['a replacement', { text: 'replace “albums” with “collections”' }, 'group photos into collections'],
    [
      'a correction of the quoted text',
      { text: 'should say: Photos are kept for two years', quote: 'Photos are kept for a year' },
      'Photos are kept for two years',
    ],
    [
      'an answer to an open question',
      {
        text: 'Signed-in visitors only.',
        quote: 'Who may upload photos: everybody, or only people who are signed in?',
      },
      'Clarified: Signed-in visitors only.',
    ],
  ])('%s is done, noted and answered', async (_, comment, expected) => {
    const demo = await written('specify')
    const { outcome, checks } = await rework(demo, 'specify', comment)
    expect(demo.files.get(SPEC)).toContain(expected)
    expect(outcome.threads).toMatchObject([{ id: ID, fate: 'addressed' }])
    expect(errorsOf(checks)).toEqual([])
  })

  test('a removal takes out the quoted line', async () => {
    const demo = await written('specify')
    const quote = 'People use a current browser or program and have a connection.'
    await rework(demo, 'specify', { text: 'Remove this', quote })
    expect(demo.files.get(SPEC)).not.toContain(`- ${quote}`)
  })

  test.each<[string, Comment, RegExp]>([
    ['what is not there', { text: 'remove “zebra crossing”' }, /do not find/],
    ['another phase’s file', { text: 'mention x', path: `${FEATURE_DIRECTORY}/plan.md` }, /may not change/],
    ['praise', { text: 'Looks good to me' }, /no wish/],
    [
      'what the document needs',
      { text: 'remove this', quote: '## Success Criteria', path: SPEC },
      /left without the heading Success Criteria/,
    ],
  ])('%s is declined with the reason', async (_, comment, reason) => {
    const demo = await written('specify')
    const { outcome, checks } = await rework(demo, 'specify', comment)
    expect(outcome.threads).toMatchObject([{ id: ID, fate: 'declined', reply: expect.stringMatching(reason) }])
    expect(errorsOf(checks)).toEqual([])
  })

  test('the author’s own words are never changed', async () => {
    const demo = await written('specify')
    await rework(demo, 'specify', { text: 'replace photos with pictures' })
    expect(demo.files.get(SPEC)).toContain('> Let visitors upload photos and group them into albums.')
  })

  test('comments without threads are read from the text', async () => {
    const demo = await written('specify')
    await demo.run('specify', {
      attempt: 2,
      feedback: { text: '- mention rate limiting\n- replace albums with boxes', threads: [] },
    })
    expect(demo.files.get(SPEC)).toMatch(/Rate limiting MUST hold[\s\S]*Review Notes[\s\S]*boxes/)
  })
})

describe('any comment on any phase', () => {
  const PHASES: [Command, Command[]][] = [
    ['specify', ['specify']],
    ['clarify', ['specify', 'clarify']],
    ['plan', ['specify', 'plan']],
    ['checklist', ['specify', 'plan', 'checklist']],
    ['tasks', ['specify', 'plan', 'tasks']],
    ['analyze', ['specify', 'plan', 'tasks']],
    ['converge', ['specify', 'plan', 'tasks', 'implement']],
  ]

  test.each(PHASES)('%s answers it, and its documents still pass', async (command, before) => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary', minLength: 1, maxLength: 120 }),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 120 }),
      fc.constantFrom(
        'remove this',
        'replace “the” with “[NEEDS CLARIFICATION: x]”',
        'replace - [ ] with x',
        'Replace ## with #',
        'remove T001',
        'replace T002 with T001',
        'add “quotes” to it',
        'replace Given with Provided',
        'What now?',
        'x\n\n- y\n\n# z',
        'Option 1: or [FEATURE NAME]',
        '```',
      ),
    )
    const comments = fc.record(
      {
        text: texts,
        quote: fc.option(fc.constantFrom('## Requirements', 'Given', '- [ ]', 'the'), { nil: undefined }),
      },
      { requiredKeys: ['text'] },
    )
    await fc.assert(
      fc.asyncProperty(comments, async ({ text, quote }) => {
        const demo = await written(...before)
        const { outcome, checks } = await rework(demo, command, quote === undefined ? { text } : { text, quote })
        expect(outcome.threads.map(({ id }) => id)).toEqual([ID])
        expect(errorsOf(checks)).toEqual([])
      }),
      { numRuns: 60 },
    )
  })
})

describe('a suggestion', () => {
  const lineOf = (text: string, start: string) => text.split('\n').findIndex((line) => line.startsWith(start)) + 1

  test('stands in the document word for word, and is answered', async () => {
    const demo = await written('specify')
    const line = lineOf(demo.files.get(SPEC)!, '- **FR-001**')
    const replacement = '- **FR-001**: Guests MUST be able to upload a photo of at most 20 MB.'
    const { outcome, checks } = await rework(demo, 'specify', {
      path: SPEC,
      lines: { start: line, end: line },
      text: 'Say how large',
      replacement,
    })
    expect(demo.files.get(SPEC)!.split('\n')[line - 1]).toBe(replacement)
    expect(outcome.threads).toEqual([
      { id: ID, fate: 'addressed', reply: expect.stringContaining(`Took your wording for line ${line}`) },
    ])
    expect(errorsOf(checks)).toEqual([])
  })

  test.each([
    ['lines that are not there', { lines: { start: 9_000, end: 9_001 }, replacement: 'x' }, 'has only'],
    [
      'a file that the phase does not write',
      { path: 'README.md', lines: { start: 1, end: 1 }, replacement: 'x' },
      'may not change',
    ],
    ['what would leave no document', { lines: { start: 1, end: 60 }, replacement: '' }, 'left without'],
  ])('on %s is declined with the reason', async (_, comment, reason) => {
    const demo = await written('specify')
    const before = demo.files.get(SPEC)
    const { outcome } = await rework(demo, 'specify', { path: SPEC, text: 'Suggested', ...comment })
    expect(outcome.threads).toEqual([{ id: ID, fate: 'declined', reply: expect.stringContaining(reason) }])
    expect(demo.files.get(SPEC)).toBe(before)
  })
})
