import { PHASES, TRIGGERS, WORKFLOW_STATUSES, WORKFLOW_TYPES, type Trigger } from '@orchestrator/contract'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { commandOf, phasesOf } from '../../src/core/definitions.ts'
import { cancellation, reworksUsedUp, transition, type Position } from '../../src/core/transitions.ts'

/** The seed's table, once more and by hand: from, trigger, where to. */
const TABLE: [from: string, trigger: Trigger, to: string[]][] = [
  ['pending', 'start', ['in_progress']],
  ['in_progress', 'agent_complete', ['waiting_approval']],
  ['in_progress', 'error', ['failed']],
  ['waiting_approval', 'human_approved', ['in_progress', 'completed']],
  ['waiting_approval', 'human_rejected', ['in_progress', 'failed']],
]
const targets = (from: string, trigger: string) =>
  TABLE.filter((row) => row[0] === from && row[1] === trigger).flatMap((row) => row[2])
const pairs = WORKFLOW_STATUSES.flatMap((status) => TRIGGERS.map((trigger) => [status, trigger] as const))
const possible = pairs.filter(([status, trigger]) => targets(status, trigger).length > 0)
const impossible = pairs.filter(([status, trigger]) => targets(status, trigger).length === 0)

const positions = fc.record({
  phase: fc.constantFrom(...PHASES),
  attempt: fc.integer({ min: 1, max: 2000 }),
})
const policies = fc.record({
  phases: fc.constantFrom<readonly (typeof PHASES)[number][]>(['phase_1'], ['phase_1', 'phase_2']),
  max_reworks: fc.integer({ min: 0, max: 1000 }),
})

describe('the transition table', () => {
  it('has 25 pairs, five of them possible', () => {
    expect(pairs).toHaveLength(25)
    expect(possible).toHaveLength(5)
    expect(impossible).toHaveLength(20)
  })

  it.each(possible)('%s takes %s', (status, trigger) => {
    fc.assert(
      fc.property(positions, policies, fc.boolean(), (at, policy, abort) => {
        const move = transition({ ...at, status }, trigger, policy, abort)
        expect(move).not.toHaveProperty('refused')
        expect(targets(status, trigger)).toContain((move as Position).status)
      }),
    )
  })

  it.each(impossible)('%s refuses %s and says what it would take', (status, trigger) => {
    fc.assert(
      fc.property(positions, policies, fc.boolean(), (at, policy, abort) => {
        const allowed = TABLE.filter((row) => row[0] === status).map((row) => row[1])
        expect(transition({ ...at, status }, trigger, policy, abort)).toEqual({ refused: true, allowed })
      }),
    )
  })

  it('approves to the next phase with a first attempt, and completes after the last', () => {
    const policy = { phases: PHASES, max_reworks: 5 }
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2000 }), fc.boolean(), (attempt, abort) => {
        expect(
          transition({ status: 'waiting_approval', phase: 'phase_1', attempt }, 'human_approved', policy, abort),
        ).toEqual({ status: 'in_progress', phase: 'phase_2', attempt: 1, effect: 'run' })
        expect(
          transition({ status: 'waiting_approval', phase: 'phase_2', attempt }, 'human_approved', policy, abort),
        ).toEqual({ status: 'completed', phase: 'phase_2', attempt, effect: 'end' })
      }),
    )
  })

  it('never leaves the phase on a rejection', () => {
    fc.assert(
      fc.property(positions, policies, fc.boolean(), (at, policy, abort) => {
        const move = transition({ ...at, status: 'waiting_approval' }, 'human_rejected', policy, abort)
        expect(move).toMatchObject({ phase: at.phase })
      }),
    )
  })

  it('reworks exactly MAX_REWORKS times, and not once after an abort', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), (max_reworks) => {
        const policy = { phases: PHASES, max_reworks }
        const reworks = (attempt: number): number => {
          const move = transition({ status: 'waiting_approval', phase: 'phase_1', attempt }, 'human_rejected', policy)
          return 'effect' in move && move.effect === 'run' ? 1 + reworks(move.attempt) : 0
        }
        expect(reworks(1)).toBe(max_reworks)
        expect(
          transition({ status: 'waiting_approval', phase: 'phase_1', attempt: 1 }, 'human_rejected', policy, true),
        ).toMatchObject({ status: 'failed', effect: 'end' })
      }),
    )
  })

  it('counts the first attempt as no rework', () => {
    const policy = { phases: PHASES, max_reworks: 1 }
    expect(reworksUsedUp({ status: 'waiting_approval', phase: 'phase_1', attempt: 1 }, policy)).toBe(false)
    expect(reworksUsedUp({ status: 'waiting_approval', phase: 'phase_1', attempt: 2 }, policy)).toBe(true)
  })
})

describe('cancellation', () => {
  it.each(['pending', 'in_progress', 'waiting_approval'] as const)('fails what is %s', (status) => {
    fc.assert(
      fc.property(positions, (at) => {
        expect(cancellation({ ...at, status })).toEqual({ ...at, status: 'failed', effect: 'end' })
      }),
    )
  })

  it.each(['completed', 'failed'] as const)('leaves what is %s', (status) => {
    expect(cancellation({ status, phase: 'phase_1', attempt: 1 })).toEqual({ refused: true, allowed: [] })
  })
})

describe('definitions', () => {
  it.each(WORKFLOW_TYPES)('%s has two phases, each a Spec Kit command', (type) => {
    expect(phasesOf(type)).toEqual(['phase_1', 'phase_2'])
    expect(phasesOf(type).map((phase) => commandOf(type, phase))).toEqual([
      expect.stringMatching(/^speckit\.[a-z]+$/),
      expect.stringMatching(/^speckit\.[a-z]+$/),
    ])
  })

  it('knows no other phase', () => {
    expect(() => commandOf('specify', 'phase_3' as 'phase_1')).toThrow('specify has no phase_3')
  })
})
