import { describe, expect, it } from 'vitest'

import type { QueuePause } from '../../src/core/ports.ts'
import { listTroubles } from '../../src/troubles.ts'

const MEBIBYTE = 1024 * 1024
const asked: string[] = []
const at = (free_mb: number) => async (folder: string) => {
  asked.push(folder)
  return free_mb * MEBIBYTE
}

/** What is told of a service that is well but for this. */
async function told({
  database_url = 'sqlite:////var/lib/orchestrator/orchestrator.db',
  free_mb = 10_000,
  late_ms = 0,
  pause,
  budgets = [],
}: {
  database_url?: string
  free_mb?: number
  late_ms?: number
  pause?: QueuePause
  budgets?: string[]
} = {}): Promise<string[]> {
  const troubles = listTroubles({
    database_url,
    queue: { findPause: async () => pause },
    budgets: { listTroubles: async () => budgets },
    event_loop: { latest: () => late_ms },
    findFreeSpace: at(free_mb),
  })
  return (await Promise.all(troubles.map(async (trouble) => trouble()))).flat()
}

it('tells nothing of a service that is well', async () => {
  expect(await told()).toEqual([])
})

it('tells of a paused queue and of budgets', async () => {
  const pause = { paused_at: '2026-01-31T12:00:00.000Z', paused_by: 'Robin', reason: null }
  expect(await told({ pause, budgets: ['Spent.'] })).toEqual([
    'Spent.',
    expect.stringContaining('The queue is paused since 2026-01-31T12:00:00.000Z by Robin'),
  ])
})

describe('a disk', () => {
  it.each([0, 1, 199.99])('with %d MB left is told', async (free_mb) => {
    expect(await told({ free_mb })).toEqual([
      `The disk of the database has ${Math.floor(free_mb)} MB left: make room, or writing will be refused.`,
    ])
    expect(asked.at(-1)).toBe('/var/lib/orchestrator')
  })

  it('with 200 MB left is not', async () => {
    expect(await told({ free_mb: 200 })).toEqual([])
  })

  it.each(['sqlite:///:memory:', 'postgres://localhost/orchestrator'])('is none of %s', async (database_url) => {
    expect(await told({ database_url, free_mb: 0 })).toEqual([])
  })

  it('is asked of the system', async () => {
    const troubles = listTroubles({
      database_url: `sqlite:///${import.meta.dirname}/missing/orchestrator.db`,
      queue: { findPause: async () => undefined },
      budgets: { listTroubles: async () => [] },
      event_loop: { latest: () => 0 },
    })
    await expect(Promise.all(troubles.map(async (trouble) => trouble()))).rejects.toThrow('ENOENT')
  })
})

describe('a process that was held up', () => {
  it.each([
    [500, '0.5'],
    [12_340, '12.3'],
  ])('for %d ms is told', async (late_ms, seconds) => {
    expect(await told({ late_ms })).toEqual([
      `The process was held up for ${seconds} s in the last seconds: the machine is overloaded, or swaps.`,
    ])
  })

  it('for less than half a second is not', async () => {
    expect(await told({ late_ms: 499 })).toEqual([])
  })
})
