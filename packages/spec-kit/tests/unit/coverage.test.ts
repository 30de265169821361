import { describe, expect, it } from 'vitest'

import { checklistItems, coverageOf, openQuestions, tickItems, userStories } from '../../src/index.ts'

const SPEC = `# Feature Specification: Login

## User Scenarios & Testing

### User Story 1 - Sign in (Priority: P1)

Covers FR-001.

### User Story 2 - Sign out

## Requirements

### Functional Requirements

- **FR-001**: People MUST be able to sign in.
- **FR-002**: People MUST be able to sign out (US2). [NEEDS CLARIFICATION: After how long by itself?]
- **FR-003**: Nobody asked for this.

## Success Criteria

- **SC-001**: 9 of 10 people succeed.

\`\`\`text
- **FR-009**: an example, no requirement
\`\`\`
`
const PLAN = '# Plan\n\nFR-001 goes through src/a.ts.\n\nSo do FR-001 and SC-001.\n'
const TASKS = `# Tasks

## Phase 2: User Story 1

- [X] T001 [US1] Sign in, FR-001, in src/a.ts
- [ ] T002 [US1] Style it in src/a.css

## Phase 3: User Story 2

- [X] T003 [US2] Sign out in src/b.ts
`

describe('what covers what', () => {
  it('tells of each requirement where the plan names it and which tasks carry it out', () => {
    const { requirements, stories, tasks } = coverageOf({ spec: SPEC, plan: PLAN, tasks: TASKS })
    expect(requirements).toEqual([
      {
        id: 'FR-001',
        text: 'People MUST be able to sign in.',
        line: 15,
        plan_lines: [3, 5],
        covered_by: 'named',
        tasks: ['T001'],
        stories: ['US1'],
      },
      {
        id: 'FR-002',
        text: 'People MUST be able to sign out (US2). [NEEDS CLARIFICATION: After how long by itself?]',
        line: 16,
        plan_lines: [],
        covered_by: 'story',
        tasks: ['T003'],
        stories: ['US2'],
      },
      {
        id: 'FR-003',
        text: 'Nobody asked for this.',
        line: 17,
        plan_lines: [],
        covered_by: null,
        tasks: [],
        stories: [],
      },
      {
        id: 'SC-001',
        text: '9 of 10 people succeed.',
        line: 21,
        plan_lines: [5],
        covered_by: null,
        tasks: [],
        stories: [],
      },
    ])
    expect(stories).toEqual([
      { id: 'US1', title: 'Sign in', priority: 'P1', line: 5, tasks: 2, ticked: 1 },
      { id: 'US2', title: 'Sign out', priority: null, line: 9, tasks: 1, ticked: 1 },
    ])
    expect(tasks).toEqual({ total: 3, ticked: 2 })
  })

  it('is empty where there are no documents', () => {
    const nothing = { requirements: [], stories: [], tasks: { total: 0, ticked: 0 } }
    expect(coverageOf({ spec: '', plan: '', tasks: '' })).toEqual(nothing)
  })

  it('reads a table of requirements as well as a list', () => {
    const spec = '| ID | What |\n|---|---|\n| FR-001 | People sign in |\n'
    expect(coverageOf({ spec, plan: '', tasks: '' }).requirements).toMatchObject([
      { id: 'FR-001', text: 'People sign in', line: 3 },
    ])
  })

  it('takes no longer than a blink for long hostile documents', () => {
    const spec = `${'- **FR-001**: US1 '.repeat(20_000)}\n${'### User Story 1 - x (Priority: '.repeat(5000)}\n`
    const tasks = Array.from({ length: 20_000 }, (_, at) => `- [ ] T${String(at).padStart(5, '0')} [US1] FR-001 a.ts`)
    const begun = process.cpuUsage()
    coverageOf({ spec, plan: spec, tasks: tasks.join('\n') })
    const { user, system } = process.cpuUsage(begun)
    expect((user + system) / 1000).toBeLessThan(3000)
  })
})

describe('questions, stories and checklist items', () => {
  it('are told with their lines', () => {
    expect(openQuestions(SPEC)).toEqual([{ text: 'After how long by itself?', line: 16 }])
    expect(openQuestions('[NEEDS CLARIFICATION] and [NEEDS CLARIFICATION: b]')).toEqual([
      { text: '', line: 1 },
      { text: 'b', line: 1 },
    ])
    expect(userStories(SPEC).map(({ id }) => id)).toEqual(['US1', 'US2'])
  })

  it('can be ticked and unticked, and nothing else of the text changes', () => {
    const text =
      '# List\r\n\r\n- [ ] CHK001 Is it clear?\r\n- [X] CHK002 Is it whole?\r\n* [ ] no number\r\n- [ ] CHK003\n'
    const ticked = tickItems(
      text,
      new Map([
        ['CHK001', true],
        ['CHK002', false],
        ['no number', true],
        ['CHK999', true],
      ]),
    )
    expect(ticked).toBe(
      '# List\r\n\r\n- [x] CHK001 Is it clear?\r\n- [ ] CHK002 Is it whole?\r\n* [x] no number\r\n- [ ] CHK003\n',
    )
    expect(checklistItems(ticked).map(({ ticked }) => ticked)).toEqual([true, false, true, false])
  })
})
