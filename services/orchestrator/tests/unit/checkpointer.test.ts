import { generateKeyPairSync } from 'node:crypto'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { Checkpointer } from '../../src/core/checkpointer.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

/** A chain of so many rows, signed into lines that are kept here; `full` as long as nothing more can be written. */
function stage() {
  const lines: string[] = []
  const errors: unknown[] = []
  const state = { rows: 0, full: false }
  const checkpointer = new Checkpointer({
    store: {
      listLinks: async (after) =>
        after < state.rows ? [{ workflow_id: 'w', sequence: state.rows, hash: 'f'.repeat(64) }] : [],
    },
    file: {
      readLast: async () => lines.at(-1),
      append: async (line) => {
        if (state.full) throw new Error('The disk is full.')
        lines.push(line)
      },
    },
    private_key: generateKeyPairSync('ed25519').privateKey,
    now: () => new Date('2026-01-31T12:00:00.000Z'),
    onError: (error) => errors.push(error),
  })
  return { checkpointer, lines, errors, state }
}

it('signs what is new within a minute, all of it at once', async () => {
  const { checkpointer, lines, state } = stage()
  for (state.rows = 1; state.rows < 5; state.rows++) checkpointer.wake()
  await vi.advanceTimersByTimeAsync(59_999)
  expect(lines).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ number: 1, after: 0, through: 5 }])
  state.rows++
  checkpointer.wake()
  await vi.advanceTimersByTimeAsync(60_000)
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{}, { number: 2, after: 5, through: 6 }])
  await checkpointer.stop()
  expect(lines).toHaveLength(2)
})

it('says when it could not, and signs that with what comes next', async () => {
  const { checkpointer, lines, errors, state } = stage()
  state.rows = 1
  state.full = true
  checkpointer.wake()
  await vi.advanceTimersByTimeAsync(60_000)
  expect([lines, errors]).toEqual([[], [new Error('The disk is full.')]])
  state.full = false
  state.rows = 2
  await checkpointer.write()
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([{ number: 1, after: 0, through: 2 }])
})
