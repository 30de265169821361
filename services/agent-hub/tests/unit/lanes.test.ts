import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { createLanes } from '../../src/core/lanes.ts'

/** Lanes whose work ends when the test says so. */
function drivenLanes(max_running: number, memory_mb = 1000) {
  const begun: string[] = []
  const ends = new Map<string, () => void>()
  const lanes = createLanes({ max_running, memory_mb })
  const run = async (id: string) => {
    begun.push(id)
    await new Promise<void>((resolve) => ends.set(id, resolve))
  }
  const add = (lane: string, id: string, memory_mb = 1) => lanes.add({ lane, id, memory_mb, run: async () => run(id) })
  const end = async (id: string) => {
    ends.get(id)?.()
    ends.delete(id)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { lanes, add, begun, running: ends, end }
}

describe('lanes', () => {
  it('run one at a time each, and others beside', async () => {
    const { add, begun, end } = drivenLanes(8)
    add('a', 'a1')
    add('a', 'a2')
    add('b', 'b1')
    expect(begun).toEqual(['a1', 'b1'])
    await end('a1')
    expect(begun).toEqual(['a1', 'b1', 'a2'])
  })

  it('hold back what is too much, oldest first', async () => {
    const { lanes, add, begun, end } = drivenLanes(1)
    for (const id of ['a', 'b', 'c']) add(id, id)
    expect(begun).toEqual(['a'])
    expect(lanes.remove('b')).toBe(true)
    expect(lanes.remove('a')).toBe(false)
    await end('a')
    expect(begun).toEqual(['a', 'c'])
  })

  it('hold back what would take more memory than there is, and what stands behind it', async () => {
    const { add, begun, end } = drivenLanes(8, 100)
    add('a', 'a', 60)
    add('b', 'b', 50)
    add('c', 'c', 10)
    expect(begun).toEqual(['a'])
    await end('a')
    expect(begun).toEqual(['a', 'b', 'c'])
  })

  it('run what is larger than all there is alone', async () => {
    const { add, begun, end } = drivenLanes(8, 100)
    add('a', 'a', 500)
    add('b', 'b', 1)
    expect(begun).toEqual(['a'])
    await end('a')
    expect(begun).toEqual(['a', 'b'])
  })

  it('begin nothing after they were closed', async () => {
    const { lanes, add, begun, end } = drivenLanes(1)
    add('a', 'a')
    add('b', 'b')
    const closed = lanes.close()
    await end('a')
    await closed
    expect(begun).toEqual(['a'])
  })

  it('never run two of one lane or more than allowed, and run everything', async () => {
    const lane = fc.constantFrom('a', 'b', 'c')
    await fc.assert(
      fc.asyncProperty(fc.array(lane, { maxLength: 30 }), fc.integer({ min: 1, max: 4 }), async (added, max) => {
        const { add, begun, running, end } = drivenLanes(max)
        added.forEach((name, index) => add(name, `${name}${index}`))
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
