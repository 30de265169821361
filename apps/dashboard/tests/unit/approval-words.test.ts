import { expect, it } from 'vitest'

import { approvalWords } from '../../src/review/approval-words.ts'

const kim = { actor: 'Kim', role: 'reviewer' as const, created_at: '2026-01-31T12:00:00.000Z' }

it.each([
  [{ required: 1, given: [], missing_roles: [], four_eyes: false }, []],
  [{ required: 1, given: [], missing_roles: [], four_eyes: true }, ['not by its creator']],
  [
    { required: 2, given: [kim], missing_roles: ['admin' as const], four_eyes: true },
    ['1 of 2 approvals', 'by Kim', 'needs an admin', 'not by its creator'],
  ],
  [
    { required: 1, given: [], missing_roles: ['reviewer' as const], four_eyes: false },
    ['0 of 1 approval', 'needs a reviewer'],
  ],
])('says who is still needed: %j', (approvals, words) => {
  expect(approvalWords(approvals)).toEqual(words)
})
