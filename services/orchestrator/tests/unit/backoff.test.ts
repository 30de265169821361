import fc from 'fast-check'
import { expect, it } from 'vitest'

import { backoffDelay } from '../../src/core/backoff.ts'

const policies = fc.record({
  max_tries: fc.integer({ min: 1, max: 1000 }),
  base_ms: fc.integer({ min: 1, max: 600_000 }),
  cap_ms: fc.integer({ min: 1, max: 600_000 }),
})
const tries = fc.integer({ min: 1, max: 2000 })
const draws = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

it('lies between half of the ceiling and the ceiling, and never beyond the cap', () => {
  fc.assert(
    fc.property(tries, policies, draws, (count, policy, random) => {
      const ceiling = Math.min(policy.cap_ms, policy.base_ms * 2 ** (count - 1))
      const delay = backoffDelay(count, policy, random)
      expect(Number.isInteger(delay)).toBe(true)
      expect(delay).toBeGreaterThanOrEqual(Math.floor(ceiling / 2))
      expect(delay).toBeLessThanOrEqual(policy.cap_ms)
      expect(delay).toBeLessThanOrEqual(Math.ceil(ceiling))
    }),
  )
})

it('never gets shorter from one try to the next with the same draw', () => {
  fc.assert(
    fc.property(tries, policies, draws, (count, policy, random) => {
      expect(backoffDelay(count + 1, policy, random)).toBeGreaterThanOrEqual(backoffDelay(count, policy, random))
    }),
  )
})

it('doubles from the base', () => {
  const policy = { max_tries: 10, base_ms: 500, cap_ms: 60_000 }
  expect([1, 2, 3, 8, 9, 1000].map((count) => backoffDelay(count, policy, 0))).toEqual([
    250, 500, 1000, 30_000, 30_000, 30_000,
  ])
})
