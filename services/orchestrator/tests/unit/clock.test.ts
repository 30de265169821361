import { setTimeout as wait } from 'node:timers/promises'

import { expect, it } from 'vitest'

import { systemClock } from '../../src/core/clock.ts'

it('tells the time', () => {
  expect(Math.abs(systemClock.now().getTime() - Date.now())).toBeLessThan(1000)
})

it('wakes after the time, not before', async () => {
  const begin = performance.now()
  await systemClock.sleep(20, new AbortController().signal)
  expect(performance.now() - begin).toBeGreaterThanOrEqual(18)
})

it('rejects with the reason as soon as it is aborted', async () => {
  const abort = new AbortController()
  const sleeping = systemClock.sleep(60_000, abort.signal)
  abort.abort(new Error('enough'))
  await expect(sleeping).rejects.toThrow('enough')
})

it('does not begin when it was aborted before', async () => {
  await expect(systemClock.sleep(1, AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
})

it('takes what is longer than a timer can hold for very long, not for nothing', async () => {
  const abort = new AbortController()
  const woken = systemClock.sleep(2 ** 40, abort.signal).then(
    () => 'woken',
    () => 'stopped',
  )
  expect(await Promise.race([woken, wait(30, 'asleep')])).toBe('asleep')
  abort.abort()
  expect(await woken).toBe('stopped')
})

it('forgets the signal once it woke', async () => {
  const abort = new AbortController()
  await systemClock.sleep(1, abort.signal)
  expect(() => abort.abort()).not.toThrow()
})
