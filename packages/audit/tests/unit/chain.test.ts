import { createHash } from 'node:crypto'

import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'

import { hashOfCreation, hashOfRow, hashOfWords, type ChainedRow, type Creation } from '../../src/index.ts'

const CREATION: Creation = {
  id: 'w',
  workflow_type: 'specify',
  feature_id: '001-login',
  workspace: 'default',
  retry_of: null,
  created_by: 'Robin',
  key_id: '0123456789ab',
  request_id: 'r',
  address: '127.0.0.1',
  created_at: '2026-01-31T12:00:00.000Z',
}

const ROW: ChainedRow = {
  workflow_id: 'w',
  sequence: 7,
  id: 'h',
  from_status: 'waiting_approval',
  to_status: 'completed',
  trigger: 'human_approved',
  actor: 'Kim',
  key_id: '0123456789ab',
  request_id: 'r',
  address: '::1',
  phase: 'phase_2',
  attempt: 1,
  attempt_id: 'a',
  digest: 'd',
  metadata: '{"approved":true}',
  words_hash: 'x',
  created_at: '2026-01-31T12:00:01.000Z',
}

describe('a link of the chain', () => {
  it('is a SHA-256 that anybody can compute', () => {
    const text = JSON.stringify(['before', ...Object.values(ROW)])
    expect(hashOfRow('before', ROW)).toBe(createHash('sha256').update(text).digest('hex'))
    const first = JSON.stringify(Object.values(CREATION))
    expect(hashOfCreation(CREATION)).toBe(createHash('sha256').update(first).digest('hex'))
  })

  it.each(Object.keys(ROW))('changes with %s of its row', (column) => {
    expect(hashOfRow('before', { ...ROW, [column]: 'another' })).not.toBe(hashOfRow('before', ROW))
    expect(hashOfRow('before', { ...ROW, [column]: null })).not.toBe(hashOfRow('before', ROW))
  })

  it.each(Object.keys(CREATION))('changes with %s of the creation', (column) => {
    expect(hashOfCreation({ ...CREATION, [column]: 'another' })).not.toBe(hashOfCreation(CREATION))
  })

  it('changes with the link before it', () => {
    expect(hashOfRow('other', ROW)).not.toBe(hashOfRow('before', ROW))
  })

  it('is another one when text moves from one column to the next', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), fc.string(), (start, middle, end) => {
        const one = hashOfRow('before', { ...ROW, actor: start + middle, address: end })
        const other = hashOfRow('before', { ...ROW, actor: start, address: middle + end })
        expect(one).not.toBe(other)
      }),
    )
  })

  it('of words depends on the salt', () => {
    expect(hashOfWords('one', '{"comments":"no"}')).not.toBe(hashOfWords('two', '{"comments":"no"}'))
  })
})
