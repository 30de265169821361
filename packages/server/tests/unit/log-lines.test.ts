import { describe, expect, test } from 'vitest'

import { prettyLine } from '../../src/log-lines.ts'

const line = (fields: object) =>
  JSON.stringify({ level: 30, time: '2026-01-31T12:34:56.789Z', name: 'hub', msg: 'ready', ...fields })

describe('prettyLine', () => {
  test('tells time, level, name, message and the rest', () => {
    expect(prettyLine(line({ port: 8001, agent: { name: 'demo' } }))).toBe(
      '12:34:56 info  hub: ready port=8001 agent={"name":"demo"}',
    )
  })

  test('shows the stack of an error', () => {
    expect(prettyLine(line({ level: 50, err: { message: 'no', stack: 'Error: no\n    at x' } }))).toBe(
      '12:34:56 error hub: ready | Error: no\n    at x',
    )
  })

  test('lets no control character through', () => {
    const hostile = '\u001b[31mred\u001b[0m \u001b]0;title\u0007 \rover \u0008 \u009b2J'
    expect(prettyLine(line({ msg: hostile, text: hostile }))).not.toMatch(/\p{Cc}/u)
  })
})
