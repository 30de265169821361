import fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { restartDelay } from '../../src/restart-policy.ts'

const policy = { most: 3, window_ms: 1000, first_delay_ms: 10 }

describe('restartDelay', () => {
  it('doubles with every death in the window', () => {
    expect([[0], [0, 1], [0, 1, 2]].map((deaths) => restartDelay(deaths, policy))).toEqual([10, 20, 40])
  })

  it('gives up after too many', () => {
    expect(restartDelay([0, 1, 2, 3], policy)).toBeUndefined()
  })

  it('forgets what is long ago', () => {
    expect(restartDelay([0, 1, 2, 1500], policy)).toBe(10)
  })

  it('never gives up what dies rarely enough', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 334, max: 10_000 }), { minLength: 1, maxLength: 50 }), (gaps) => {
        const deaths = gaps.map((_gap, index) => gaps.slice(0, index + 1).reduce((sum, gap) => sum + gap, 0))
        expect(restartDelay(deaths, policy)).toBeDefined()
      }),
    )
  })
})
