import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { createLanes } from '../../src/core/lanes.ts'

/** Lanes whose work ends when the test says so. */
function drivenLanes(max_running: number) {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const lanes = createLanes({
    max_running,
    run: async (id) => {
      begun.push(id)
      await new Promise<void>((resolve) => ends.set(id, resolve))
    },
  })
  const end = async (id: string) => {
    ends.get(id)?.()
    ends.delete(id)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { lanes, begun, running: ends, end }
}

describe('lanes', () => {
  it('run one at a time each, and others beside', async () => {
    const { lanes, begun, end } = drivenLanes(8)
    lanes.add('a', 'a1')
    lanes.add('a', 'a2')
    lanes.add('b', 'b1')
    expect(begun).toEqual(['a1', 'b1'])
    await end('a1')
    expect(begun).toEqual(['a1', 'b1', 'a2'])
  })

  it('hold back what is too much, oldest first', async () => {
    const { lanes, begun, end } = drivenLanes(1)
    for (const id of ['a', 'b', 'c']) lanes.add(id, id)
    expect(begun).toEqual(['a'])
    expect(lanes.remove('b')).toBe(true)
    expect(lanes.remove('a')).toBe(false)
    await end('a')
    expect(begun).toEqual(['a', 'c'])
  })

  it('begin nothing after they were closed', async () => {
    const { lanes, begun, end } = drivenLanes(1)
    lanes.add('a', 'a')
    lanes.add('b', 'b')
    const closed = lanes.close()
    await end('a')
    await closed
    expect(begun).toEqual(['a'])
  })

  it('never run two of one lane or more than allowed, and run everything', async () => {
    const lane = fc.constantFrom('a', 'b', 'c')
    await fc.assert(
      fc.asyncProperty(fc.array(lane, { maxLength: 30 }), fc.integer({ min: 1, max: 4 }), async (added, max) => {
        const { lanes, begun, running, end } = drivenLanes(max)
        added.forEach((name, index) => lanes.add(name, `${name}${index}`))
        while (running.size > 0) {
          const now = [...running.keys()]
          expect(now.length).toBeLessThanOrEqual(max)
          expect(new Set(now.map((id) => id[0])).size).toBe(now.length)
          await end(now[0]!)
        }
        expect(begun.length).toBe(added.length)
      }),
    )
  })
})
