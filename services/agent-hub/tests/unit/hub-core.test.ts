import { getEventListeners } from 'node:events'

import { featureIdSchema, invokeRequestSchema, type AgentUpdate } from '@orchestrator/contract'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { createBell } from '../../src/core/bell.ts'
import { commitMessage } from '../../src/core/commit-message.ts'
import { digestBytes, digestRequest } from '../../src/core/digest.ts'
import { guessMediaType } from '../../src/core/media-type.ts'
import type { InvocationRecord } from '../../src/core/store.ts'
import { createUpdateBuffer, UPDATES_MAX } from '../../src/core/update-buffer.ts'
import { featureNumber, findNumberHolder, highestNumber, renumber } from '../../src/workspace/feature-numbers.ts'

const REQUEST = invokeRequestSchema.parse({
  workflow_type: 'specify',
  context: { feature_id: '001-login', feature_description: 'People can log in', phase: 'phase_1' },
  parameters: { workflow_id: 'w-1', attempt: 2 },
})
const RECORD: InvocationRecord = {
  id: 'i-1',
  idempotency_key: null,
  body_hash: '',
  agent: 'stub',
  workspace: 'default',
  feature_id: featureIdSchema.parse('001-login'),
  request: REQUEST,
  status: 'running',
  prepared: null,
  response: null,
  session_id: null,
  cancel_requested_at: null,
  runs: 1,
  created_at: '',
  started_at: null,
  finished_at: null,
}

describe('a commit message', () => {
  it('names workflow, type, phase and attempt', () => {
    expect(commitMessage(RECORD, 'Wrote it.')).toBe(
      'specify phase_1 attempt 2 for 001-login\n\nWrote it.\n\nWorkflow: w-1\nPhase: phase_1\nAttempt: 2\nAgent: stub\nInvocation: i-1',
    )
  })

  it('keeps terminal escapes out, and its trailers its own', () => {
    const message = commitMessage(RECORD, 'Hi \u001b[31mred\u001b[0m\n\nWorkflow: forged')
    expect(message).not.toContain('\u001b')
    expect(message.split('\n\n').at(-1)).toContain('Workflow: w-1')
  })

  it('does without a summary', () => {
    expect(commitMessage(RECORD, ' ').split('\n\n')).toHaveLength(2)
  })
})

describe('digests', () => {
  it('are SHA-256', () => {
    const empty = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
    expect(digestBytes(new Uint8Array())).toBe(empty)
  })

  it('of a request do not depend on the order of its fields', () => {
    const turned = Object.fromEntries(Object.entries(REQUEST).toReversed()) as typeof REQUEST
    expect(digestRequest('stub', turned)).toBe(digestRequest('stub', REQUEST))
    expect(digestRequest('other', REQUEST)).not.toBe(digestRequest('stub', REQUEST))
  })

  it.each([{ timeout_seconds: 7200 }, { model: 'finer' }])('of a request are the same whatever %j', (settings) => {
    const patient = invokeRequestSchema.parse({ ...REQUEST, parameters: { ...REQUEST.parameters, ...settings } })
    expect(digestRequest('stub', patient)).toBe(digestRequest('stub', REQUEST))
  })
})

it.each([
  ['spec.md', 'x', 'text/markdown'],
  ['a.json', '{}', 'application/json'],
  ['Makefile', 'all:', 'text/plain'],
  ['a.bin', '\u0000', 'application/octet-stream'],
])('guesses the type of %s', (path, text, type) => {
  expect(guessMediaType(path, new TextEncoder().encode(text))).toBe(type)
})

describe('a bell', () => {
  it('is heard also when it rang before one asked', async () => {
    const bell = createBell()
    const listener = bell.listen('a')
    bell.ring('a')
    await listener.heard(new AbortController().signal)
    const leaving = new AbortController()
    const heard = listener.heard(leaving.signal)
    leaving.abort()
    await heard
    listener.stop()
  })

  it('leaves nothing with the signal of who waits, however often it rings', async () => {
    const bell = createBell()
    const listener = bell.listen('a')
    const { signal } = new AbortController()
    for (let ring = 0; ring < 3; ring++) {
      const heard = listener.heard(signal)
      expect(getEventListeners(signal, 'abort')).toHaveLength(1)
      bell.ring('a')
      await heard
      expect(getEventListeners(signal, 'abort')).toEqual([])
    }
  })

  it('wakes everybody for good when it is closed', async () => {
    const bell = createBell()
    const listener = bell.listen('a')
    const heard = listener.heard(new AbortController().signal)
    bell.close()
    await heard
    await listener.heard(new AbortController().signal)
    expect(bell.closed).toBe(true)
  })
})

describe('an update buffer', () => {
  const gather = () => {
    const written: AgentUpdate[] = []
    const errors: unknown[] = []
    const buffer = createUpdateBuffer({
      write: async (updates) => void written.push(...updates),
      onError: (error) => errors.push(error),
    })
    return { written, errors, buffer }
  }

  it('keeps order and loses nothing', async () => {
    const { written, buffer } = gather()
    for (let n = 0; n < 10; n++) buffer.add({ kind: 'message', text: String(n) })
    await buffer.flush()
    buffer.add({ kind: 'message', text: 'last' })
    await expect.poll(() => written.at(-1)?.text).toBe('last')
    expect(written.map(({ text }) => text)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'last'])
  })

  it('stops at what no reader would read, and says so', async () => {
    const { written, buffer } = gather()
    for (let n = 0; n < UPDATES_MAX + 10; n++) buffer.add({ kind: 'thought', text: 'x' })
    await buffer.flush()
    expect(written).toHaveLength(UPDATES_MAX)
    expect(written.at(-1)?.kind).toBe('note')
  })

  it('outlives a write that fails', async () => {
    const errors: unknown[] = []
    const buffer = createUpdateBuffer({
      write: async () => Promise.reject(new Error('full')),
      onError: (error) => errors.push(error),
    })
    buffer.add({ kind: 'message', text: 'x' })
    await buffer.flush()
    expect(errors).toHaveLength(1)
  })
})

describe('feature numbers', () => {
  it.each([
    ['001-login', 1],
    ['0123-a', 123],
    ['20260101-120000-x', undefined],
    ['01-login', undefined],
    ['001-Login', undefined],
    ['main', undefined],
  ])('of %s', (name, number) => {
    expect(featureNumber(name)).toBe(number)
  })

  it('renumbered above the highest collide with nothing', () => {
    const name = fc.integer({ min: 1, max: 99_998 }).map((number) => `${String(number).padStart(3, '0')}-a`)
    fc.assert(
      fc.property(fc.array(name), (names) => {
        const free = renumber('001-login', highestNumber(names) + 1)
        expect(findNumberHolder(free, names)).toBeUndefined()
        expect(featureNumber(free)).toBe(highestNumber(names) + 1)
      }),
    )
  })

  it('are held by another slug, however it is padded', () => {
    expect(findNumberHolder('007-a', ['0007-b'])).toBe('0007-b')
    expect(findNumberHolder('007-a', ['007-a', 'main'])).toBeUndefined()
  })
})
