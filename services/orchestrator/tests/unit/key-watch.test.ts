import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { KeyWatch } from '../../src/core/key-watch.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const follow = (watch: KeyWatch, key_id: string | null = 'k1') => {
  const leaving = new AbortController()
  return { leaving, signal: watch.follow(key_id, leaving.signal) }
}
const unreachable = (error: unknown) => expect.unreachable(String(error))

it('ends what a key opened once that key is no longer good, and nothing of another', async () => {
  const good = new Set(['k1', 'k2'])
  const watch = new KeyWatch(async (ids) => ids.filter((id) => good.has(id)), unreachable)
  const [first, second, other, open] = [follow(watch), follow(watch), follow(watch, 'k2'), follow(watch, null)]
  await vi.advanceTimersByTimeAsync(2_000)
  good.delete('k1')
  await vi.advanceTimersByTimeAsync(400)
  expect([first, second, other, open].map(({ signal }) => signal.aborted)).toEqual([true, true, false, false])
})

it('looks only while somebody is there', async () => {
  let looks = 0
  const watch = new KeyWatch(async (ids) => {
    looks++
    return [...ids]
  }, unreachable)
  const { leaving } = follow(watch)
  await vi.advanceTimersByTimeAsync(800)
  leaving.abort()
  await vi.advanceTimersByTimeAsync(4_000)
  expect(looks).toBe(2)
  const gone = new AbortController()
  gone.abort()
  expect(watch.follow('k1', gone.signal).aborted).toBe(true)
  await vi.advanceTimersByTimeAsync(4_000)
  expect([looks, vi.getTimerCount()]).toEqual([2, 0])
})

it('asks one question at a time, however long the answer takes', async () => {
  let answer: (ids: string[]) => void = () => {}
  let looks = 0
  const watch = new KeyWatch(() => {
    looks++
    return new Promise((resolve) => (answer = resolve))
  }, unreachable)
  const { signal } = follow(watch)
  await vi.advanceTimersByTimeAsync(4_000)
  expect(looks).toBe(1)
  answer(['k1'])
  await vi.advanceTimersByTimeAsync(400)
  expect([looks, signal.aborted]).toEqual([2, false])
})

it('ends nothing when it cannot be known, says so, and asks again', async () => {
  const errors: unknown[] = []
  let isAway = true
  const watch = new KeyWatch(
    async () => {
      if (isAway) throw new Error('The database is away.')
      return []
    },
    (error) => errors.push(error),
  )
  const { signal } = follow(watch)
  await vi.advanceTimersByTimeAsync(400)
  expect([errors.length, signal.aborted]).toEqual([1, false])
  isAway = false
  await vi.advanceTimersByTimeAsync(400)
  expect([errors.length, signal.aborted]).toEqual([1, true])
})
