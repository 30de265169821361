import type { AgentUpdate } from '@orchestrator/contract'
import fc from 'fast-check'
import { expect, it } from 'vitest'

import { mergeUpdates } from '../../src/core/agent-updates.ts'

const texts = fc.record({ kind: fc.constantFrom('message', 'thought', 'note'), text: fc.string({ maxLength: 9000 }) })
const tools = fc
  .record({ id: fc.constantFrom('a', 'b', 'c'), status: fc.constantFrom('pending', 'in_progress', 'completed') })
  .map(({ id, status }) => ({
    kind: 'tool_call' as const,
    tool_call: { id, title: id, kind: null, status, paths: [] },
  }))
const updates = fc.array(fc.oneof(texts, tools)) as fc.Arbitrary<AgentUpdate[]>

const said = (list: AgentUpdate[], kind: string) =>
  list.filter((update) => update.kind === kind).map((update) => update.text ?? '')

it.each(['message', 'thought', 'note'])('keeps all text of a %s, in order', (kind) => {
  fc.assert(
    fc.property(updates, (list) => {
      expect(said(mergeUpdates(list), kind).join('')).toBe(said(list, kind).join(''))
    }),
  )
})

it('keeps every tool call once, in its latest state', () => {
  fc.assert(
    fc.property(updates, (list) => {
      const latest = new Map(list.flatMap(({ tool_call }) => (tool_call ? [[tool_call.id, tool_call]] : [])))
      const merged = mergeUpdates(list).flatMap(({ tool_call }) => tool_call ?? [])
      expect(merged).toHaveLength(latest.size)
      expect(merged).toEqual(expect.arrayContaining([...latest.values()]))
    }),
  )
})

it('joins chunks of one message and nothing else', () => {
  const chunk = (kind: 'message' | 'thought' | 'note', text?: string): AgentUpdate =>
    text === undefined ? { kind } : { kind, text }
  expect(
    mergeUpdates([
      chunk('message', 'a'),
      chunk('message'),
      chunk('message', 'b'),
      chunk('thought', 'c'),
      chunk('message', 'd'),
      chunk('note', 'e'),
      chunk('note', 'f'),
    ]),
  ).toEqual([
    chunk('message', 'ab'),
    chunk('thought', 'c'),
    chunk('message', 'd'),
    chunk('note', 'e'),
    chunk('note', 'f'),
  ])
  expect(mergeUpdates([chunk('message'), chunk('message', 'x')])).toEqual([chunk('message', 'x')])
})

it('makes more updates of a flood, not a larger one', () => {
  const flood = Array.from({ length: 50 }, () => ({ kind: 'message' as const, text: 'x'.repeat(3000) }))
  const merged = mergeUpdates(flood)
  expect(Math.max(...merged.map((update) => update.text?.length ?? 0))).toBeLessThanOrEqual(20_000)
  expect(said(merged, 'message').join('')).toHaveLength(150_000)
})

it('leaves what it was given as it was', () => {
  fc.assert(
    fc.property(updates, (list) => {
      const before = structuredClone(list)
      mergeUpdates(list)
      expect(list).toEqual(before)
    }),
  )
})
