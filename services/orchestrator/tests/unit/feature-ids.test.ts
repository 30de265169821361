import { FEATURE_ID_PATTERN, featureIdSchema } from '@orchestrator/contract'
import fc from 'fast-check'
import { expect, it } from 'vitest'

import { featureIdFor } from '../../src/core/feature-ids.ts'

const numbers = fc.integer({ min: 1, max: 2 ** 31 })

it('always gives an id of the contract, whatever the text', () => {
  fc.assert(
    fc.property(numbers, fc.string({ unit: 'binary', maxLength: 2000 }), (number, description) => {
      const id = featureIdFor(number, description)
      expect(id).toMatch(FEATURE_ID_PATTERN)
      expect(featureIdSchema.safeParse(id).success).toBe(true)
      expect(Number.parseInt(id, 10)).toBe(number)
    }),
    { numRuns: 500 },
  )
})

it('never joins two words, nor begins or ends its slug with a hyphen', () => {
  fc.assert(
    fc.property(numbers, fc.string({ unit: 'grapheme', maxLength: 300 }), (number, description) => {
      expect(featureIdFor(number, description)).toMatch(/^\d{3,}-[a-z0-9]+(-[a-z0-9]+)*$/)
    }),
    { numRuns: 500 },
  )
})

it.each([
  [1, 'Add user authentication with OAuth2', '001-user-authentication-oauth2'],
  [42, 'Größere Schriften für Menschen', '042-grossere-schriften-fur-menschen'],
  [7, 'Crème brûlée à la carte', '007-creme-brulee-la-carte'],
  [1234, 'the and of to', '1234-the-and-of-to'],
  [3, '添加用户认证功能并支持单点登录', '003-feature'],
  [4, '🚀🚀🚀🚀🚀🚀🚀🚀🚀🚀', '004-feature'],
  [5, 'x'.repeat(500), `005-${'x'.repeat(50)}`],
  [6, '--help; rm -rf / $(reboot)', '006-help-rm-rf-reboot'],
])('%i, "%s" → %s', (number, description, id) => {
  expect(featureIdFor(number, description)).toBe(id)
})
