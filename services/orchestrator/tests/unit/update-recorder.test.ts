import type { AgentUpdate } from '@orchestrator/contract'
import { expect, it } from 'vitest'

import { createUpdateRecorder } from '../../src/core/update-recorder.ts'
import { createDrivenClock } from '../driven-clock.ts'

const chunk = (text: string): AgentUpdate => ({ kind: 'message', text })

it('writes at most ten times a second, and all of it', async () => {
  const clock = createDrivenClock()
  const records: { text: string; sequence: number }[] = []
  const recorder = createUpdateRecorder(clock, async (updates, sequence) => {
    records.push({ text: updates.map((update) => update.text).join('|'), sequence })
  })
  for (let sequence = 1; sequence <= 1000; sequence++) {
    recorder.add(chunk(`${sequence} `), sequence)
    await clock.advance(1)
  }
  await recorder.close()
  expect(records.length).toBeLessThanOrEqual(12)
  expect(records.map(({ text }) => text).join('')).toBe(Array.from({ length: 1000 }, (_, i) => `${i + 1} `).join(''))
  expect(records.at(-1)?.sequence).toBe(1000)
  expect(clock.waiting()).toBe(0)
})

it('writes what is left when it is closed, and waits for nothing', async () => {
  const clock = createDrivenClock()
  const records: [string | undefined, number][] = []
  const recorder = createUpdateRecorder(clock, async ([first], sequence) => {
    records.push([first?.text, sequence])
  })
  recorder.add(chunk('a'), 1)
  await clock.advance(0)
  recorder.add(chunk('b'), 2)
  recorder.add(chunk('c'), 3)
  await recorder.close()
  expect(records).toEqual([
    ['a', 1],
    ['bc', 3],
  ])
})

it('never writes twice at once', async () => {
  const clock = createDrivenClock()
  let writing = 0
  let most = 0
  const { promise: written, resolve: finish } = Promise.withResolvers<void>()
  const recorder = createUpdateRecorder(clock, async () => {
    most = Math.max(most, ++writing)
    await written
    writing--
  })
  recorder.add(chunk('a'), 1)
  await clock.advance(0)
  recorder.add(chunk('b'), 2)
  const closed = recorder.close()
  finish()
  await closed
  expect(most).toBe(1)
})

it('writes what could not be written again as it was, and then the rest', async () => {
  const clock = createDrivenClock()
  const records: [string, number][] = []
  let broken = true
  const recorder = createUpdateRecorder(clock, async (updates, sequence) => {
    records.push([updates.map((update) => update.text).join('|'), sequence])
    await (broken ? Promise.reject(new Error('the disk is full')) : Promise.resolve())
  })
  recorder.add(chunk('a'), 1)
  await clock.advance(150)
  recorder.add(chunk('b'), 2)
  broken = false
  await recorder.close()
  expect(records).toEqual([
    ['a', 1],
    ['a', 1],
    ['a', 1],
    ['b', 2],
  ])
})

it('tells whoever closes it that what is left could not be written', async () => {
  const clock = createDrivenClock()
  const recorder = createUpdateRecorder(clock, () => Promise.reject(new Error('the disk is full')))
  recorder.add(chunk('a'), 1)
  await clock.advance(150)
  await expect(recorder.close()).rejects.toThrow('the disk is full')
})
