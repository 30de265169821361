import { describe, expect, it } from 'vitest'

import { createTextTail, stripControls } from '../../src/acp/bounded-text.ts'
import { createToolCalls, readPromptResponse, readSessionUpdate } from '../../src/acp/session-updates.ts'
import { createUpdateMerger } from '../../src/acp/update-merger.ts'
import type { AgentUpdate } from '@orchestrator/contract'

describe('stripControls', () => {
  it.each([
    ['\u001B[31mred\u001B[0m', 'red'],
    ['\u001B]0;title\u0007text', 'text'],
    ['a\u0000b\u0008c\r\n\td', 'abc\n\td'],
    ['plain ünï — 漢字', 'plain ünï — 漢字'],
  ])('%j becomes %j', (text, plain) => {
    expect(stripControls(text)).toBe(plain)
  })
})

describe('createTextTail', () => {
  it('keeps the end', () => {
    const tail = createTextTail(5)
    for (const letter of 'abcdefghijklmnopqrstuvwxyz') tail.append(letter)
    expect(tail.text).toBe('vwxyz')
    tail.clear()
    expect(tail.text).toBe('')
  })
})

describe('readSessionUpdate', () => {
  it.each([
    ['a kind that nobody reads', { sessionUpdate: 'available_commands_update', availableCommands: [] }],
    ['a kind of the future', { sessionUpdate: 'telepathy' }],
    ['no update', undefined],
    ['a message without content', { sessionUpdate: 'agent_message_chunk' }],
  ])('leaves out %s', (_what, update) => {
    expect(readSessionUpdate({ sessionId: 's', update })).toBeUndefined()
  })

  it('reads a tool call with a field of the wrong type as if the field were missing', () => {
    const update = { sessionUpdate: 'tool_call', toolCallId: 't', title: 7, kind: 'edit', locations: 'here' }
    expect(readSessionUpdate({ sessionId: 's', update })).toMatchObject({
      toolCallId: 't',
      title: null,
      kind: 'edit',
      locations: null,
    })
  })
})

describe('createToolCalls', () => {
  it('joins what changed to what was known', () => {
    const calls = createToolCalls()
    calls.apply({ toolCallId: 't', title: 'Write', kind: 'edit', locations: [{ path: '/a' }] })
    expect(calls.apply({ toolCallId: 't', status: 'completed' })).toEqual({
      id: 't',
      title: 'Write',
      kind: 'edit',
      status: 'completed',
      paths: ['/a'],
    })
  })

  it('finds paths in diffs and in the raw input too', () => {
    const call = createToolCalls().apply({
      toolCallId: 't',
      content: [{ type: 'diff', path: '/a' }],
      rawInput: { file_path: '/b', path: 3 },
    })
    expect(call.paths).toEqual(['/a', '/b'])
  })

  it('forgets the oldest when an agent opens them without end', () => {
    const calls = createToolCalls()
    calls.apply({ toolCallId: 'first', title: 'First' })
    for (let i = 0; i < 500; i += 1) calls.apply({ toolCallId: String(i), title: 'Next' })
    expect(calls.apply({ toolCallId: 'first' }).title).toBe('Tool')
  })
})

describe('readPromptResponse', () => {
  it.each([
    [{ stopReason: 'end_turn', usage: { inputTokens: 3, outputTokens: 4 } }, 'end_turn', 3, 4, null],
    [
      {
        stopReason: 'max_tokens',
        _meta: { quota: { token_count: { input_tokens: 1, output_tokens: 2 }, model_usage: [{ model: 'm' }] } },
      },
      'max_tokens',
      1,
      2,
      'm',
    ],
    [{ stopReason: 'end_turn', usage: 'much' }, 'end_turn', null, null, null],
    ['nonsense', 'unknown', null, null, null],
  ])('%j', (response, stop_reason, input_tokens, output_tokens, model) => {
    expect(readPromptResponse(response)).toEqual({ stop_reason, input_tokens, output_tokens, model })
  })
})

describe('createUpdateMerger', () => {
  it('joins what follows each other and keeps the order', () => {
    const told: AgentUpdate[] = []
    const merger = createUpdateMerger((update) => told.push(update))
    merger.push({ kind: 'note', text: 'first' })
    merger.push({ kind: 'message', text: 'a' })
    merger.push({ kind: 'message', text: 'b' })
    merger.push({ kind: 'thought', text: 'c' })
    merger.push({ kind: 'message', text: 'd' })
    merger.close()
    merger.push({ kind: 'message', text: 'too late' })

    expect(told.map(({ kind, text }) => [kind, text])).toEqual([
      ['note', 'first'],
      ['message', 'ab'],
      ['thought', 'c'],
      ['message', 'd'],
    ])
  })
  it('holds a text back whose end only the next piece decides on', async () => {
    const told: AgentUpdate[] = []
    const merger = createUpdateMerger(
      (update) => told.push(update),
      (text) => text.endsWith('se'),
    )
    merger.push({ kind: 'message', text: 'the se' })
    merger.flush()
    expect(told).toEqual([])
    merger.push({ kind: 'message', text: 'cret' })
    merger.flush()
    merger.push({ kind: 'thought', text: 'se' })
    merger.push({ kind: 'note', text: 'after it' })
    merger.flush()
    merger.push({ kind: 'message', text: 'else' })
    merger.close()
    expect(told.map(({ text }) => text)).toEqual(['the secret', 'se', 'after it', 'else'])
  })
})
