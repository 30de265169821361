import type { AgentUpdate, AttemptId, StreamEvent } from '@orchestrator/contract'
import { describe, expect, it } from 'vitest'

import { appendUpdates, EMPTY_LOG } from '../../src/workflow/agent-log.ts'
import { splitMessage } from '../../src/workflow/result-block.ts'
import { WORKFLOW_ID } from './samples.ts'

const event = (sequence: number, ...updates: AgentUpdate[]): Extract<StreamEvent, { type: 'agent.update' }> => ({
  type: 'agent.update',
  sequence,
  workflow_id: WORKFLOW_ID,
  created_at: '2026-01-01T12:00:00.000Z',
  data: { attempt_id: 'a' as AttemptId, phase: 'phase_1', number: 1, updates },
})

const call = (id: string, status: string | null, paths: string[] = [], title = 'Write spec.md'): AgentUpdate => ({
  kind: 'tool_call',
  tool_call: { id, title, kind: 'edit', status, paths },
})

describe('the log of an agent', () => {
  it('joins chunks of one message, also over events', () => {
    const log = [event(1, { kind: 'message', text: 'Hel' }), event(2, { kind: 'message', text: 'lo' })].reduce(
      appendUpdates,
      EMPTY_LOG,
    )
    expect(log.entries).toMatchObject([{ kind: 'message', text: 'Hello' }])
  })

  it('begins a new paragraph after something else', () => {
    const log = appendUpdates(
      EMPTY_LOG,
      event(1, { kind: 'message', text: 'a' }, call('1', null), { kind: 'message', text: 'b' }),
    )
    expect(log.entries.map(({ kind }) => kind)).toEqual(['message', 'tool_call', 'message'])
    expect(new Set(log.entries.map(({ id }) => id)).size).toBe(3)
  })

  it('changes a call where it stands, and keeps what the later report leaves out', () => {
    const log = appendUpdates(
      EMPTY_LOG,
      event(1, call('1', 'in_progress', ['spec.md']), call('2', 'in_progress'), call('1', 'completed', [], '')),
    )
    expect(log.entries).toMatchObject([
      { call: { id: '1', status: 'completed', paths: ['spec.md'], title: 'Write spec.md' } },
      { call: { id: '2', status: 'in_progress' } },
    ])
  })

  it('shows the latest plan only, and never changes a log that was shown', () => {
    const before = appendUpdates(
      EMPTY_LOG,
      event(1, { kind: 'plan', plan: [{ content: 'A', status: 'pending', priority: 'high' }] }),
    )
    const after = appendUpdates(before, event(2, { kind: 'plan', plan: [] }))
    expect(before.plan).toHaveLength(1)
    expect(after.plan).toEqual([])
  })
})

describe('the closing message of an agent', () => {
  it('parts the words for a person from the block for the service', () => {
    expect(splitMessage('Done.\n```json result\n{"summary":"x"}\n```\n')).toEqual({
      words: 'Done.',
      result: '{"summary":"x"}',
    })
  })

  it('does so while the block still streams in, and leaves other code alone', () => {
    expect(splitMessage('Done.\n```json result\n{"sum')).toEqual({ words: 'Done.', result: '{"sum' })
    expect(splitMessage('```json\n{}\n```')).toEqual({ words: '```json\n{}\n```', result: null })
  })
})
