import { beforeEach, describe, expect, it } from 'vitest'

import { ADDRESSES_MAX, GuessLimit, WRONG_KEYS_MAX } from '../../src/core/guess-limit.ts'
import { createDrivenClock, type DrivenClock } from '../driven-clock.ts'

let clock: DrivenClock
let limit: GuessLimit

beforeEach(() => {
  clock = createDrivenClock()
  limit = new GuessLimit(() => clock.now())
})

const fail = (address: string, times = 1) => Array.from({ length: times }, () => limit.fail(address)).at(-1)

it('tells an address to wait once it has shown too many wrong keys', () => {
  expect(fail('192.0.2.1', WRONG_KEYS_MAX)).toBeUndefined()
  expect(fail('192.0.2.1')).toBe(60)
  clock.jump(45_000)
  expect(fail('192.0.2.1')).toBe(15)
  expect(fail('192.0.2.2')).toBeUndefined()
  clock.jump(15_000)
  expect(fail('192.0.2.1')).toBeUndefined()
})

it('begins anew when the clock was set back', () => {
  fail('192.0.2.1', WRONG_KEYS_MAX + 1)
  clock.jump(-3_600_000)
  expect(fail('192.0.2.1')).toBeUndefined()
})

describe('one source', () => {
  it.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff:ffff:ffff:ffff', true],
    ['2001:db8:1:2::1', '2001:db8:1:3::1', false],
    ['2001:db8::1', '2001:db8:0:0:5::', true],
    ['::1', '::2', true],
    ['fe80::1', '::1', false],
    ['::ffff:192.0.2.1', '192.0.2.1', true],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.2', false],
  ])('%s and %s: %s', (one, other, same) => {
    fail(one, WRONG_KEYS_MAX)
    expect(fail(other) !== undefined).toBe(same)
  })
})

it('remembers so many addresses and no more', () => {
  for (let index = 0; index < 100_000; index++) {
    fail(`10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`)
  }
  expect(limit.size).toBe(ADDRESSES_MAX)
})
