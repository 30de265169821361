import { expect, it } from 'vitest'

import { specDescription } from '../../src/index.ts'

it.each([
  [
    '# Feature Specification: Login\n\n**Input**: User description: "Let people\nsign in."\n\n## User',
    'Let people sign in.',
  ],
  ['# Feature Specification: Login\n\n**Input**: Let people sign in.\n', 'Let people sign in.'],
  ['# Feature Specification: Login\n', 'Login'],
  ['# Login\n\nText', 'Login'],
  ['## Only a section\n', null],
  ['**Input**:\n\n# Specification: Login', 'Login'],
  ['', null],
])('%j is about %j', (spec, description) => {
  expect(specDescription(spec)).toBe(description)
})
