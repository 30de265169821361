import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { retryMs, retryUntilDone } from '../../src/core/retry.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** Rejects the first so many times. */
function failing(times: number) {
  let left = times
  return vi.fn(async () => {
    left -= 1
    if (left >= 0) throw new Error(`the disk is full, ${left} more`)
    return 'done'
  })
}

test('the pauses grow to five seconds and no further', () => {
  expect([1, 2, 3, 4, 5, 6, 7, 100].map(retryMs)).toEqual([250, 500, 1000, 2000, 4000, 5000, 5000, 5000])
})

test('what fails is tried until it is done, and the first failure alone is told', async () => {
  const attempt = failing(8)
  const onFirstFailure = vi.fn()
  const trying = retryUntilDone(attempt, { closing: new AbortController().signal, onFirstFailure })
  await vi.advanceTimersByTimeAsync(250 + 500 + 1000 + 2000 + 4000 + 3 * 5000 - 1)
  expect(attempt).toHaveBeenCalledTimes(8)
  await vi.advanceTimersByTimeAsync(1)
  expect(await trying).toBe('done')
  expect(attempt).toHaveBeenCalledTimes(9)
  expect(onFirstFailure).toHaveBeenCalledExactlyOnceWith(new Error('the disk is full, 7 more'))
})

test('whoever closes gets one more try, at once', async () => {
  const closing = new AbortController()
  const attempt = failing(2)
  const trying = retryUntilDone(attempt, { closing: closing.signal, onFirstFailure: () => {} })
  await vi.advanceTimersByTimeAsync(300)
  expect(attempt).toHaveBeenCalledTimes(2)
  closing.abort()
  await vi.advanceTimersByTimeAsync(0)
  expect(await trying).toBe('done')
})

test('the last try of a closing hub is the last one', async () => {
  const closing = new AbortController()
  const attempt = failing(9)
  const onFirstFailure = vi.fn()
  closing.abort()
  await expect(retryUntilDone(attempt, { closing: closing.signal, onFirstFailure })).rejects.toThrow('8 more')
  expect(attempt).toHaveBeenCalledTimes(1)
  expect(onFirstFailure).not.toHaveBeenCalled()
})
