import { describe, expect, it } from 'vitest'

import { chooseOption, decidePermission, isBelow } from '../../src/acp/permission-policy.ts'

describe('decidePermission', () => {
  it.each([
    ['edit', true, false, true],
    ['edit', true, true, true],
    ['edit', false, true, false],
    ['edit', null, true, true],
    ['edit', null, false, false],
    ['delete', false, false, false],
    ['move', true, false, true],
    ['read', null, false, false],
    ['think', null, false, true],
    ['execute', true, false, false],
    ['execute', null, true, true],
    ['fetch', null, true, false],
    ['switch_mode', null, true, false],
    ['other', true, true, false],
    [null, true, true, false],
  ])('%s, inside %s, sandboxed %s: %s', (kind, inside, sandboxed, allow) => {
    expect(decidePermission({ kind, title: 'Do it', inside, sandboxed }).allow).toBe(allow)
  })
})

describe('the hub’s own tool', () => {
  it.each([
    ['mcp__orchestrator__submit_result', null, true],
    ['submit_result (orchestrator MCP Server)', 'other', true],
    ['orchestrator-submit_result', 'other', true],
    ['submit_results', 'other', false],
    ['resubmit_result', 'other', false],
    ['submit_result; rm -rf ~', 'execute', false],
    ['submit_result', 'fetch', false],
  ])('%s, kind %s: %s', (title, kind, allow) => {
    expect(decidePermission({ kind, title, inside: null, sandboxed: false }).allow).toBe(allow)
  })
})

describe('chooseOption', () => {
  const always = { optionId: 'a', kind: 'allow_always' }
  const once = { optionId: 'b', kind: 'allow_once' }
  const never = { optionId: 'c', kind: 'reject_always' }
  const not_now = { optionId: 'd', kind: 'reject_once' }

  it.each([
    ['the one-time permission', [always, once, never, not_now], true, 'b'],
    ['the one-time refusal', [always, once, never, not_now], false, 'd'],
    ['a lasting refusal for want of another', [always, never], false, 'c'],
    ['no lasting permission', [always, never], true, undefined],
    ['nothing when nothing is offered', [], false, undefined],
  ])('chooses %s', (_what, options, allow, chosen) => {
    expect(chooseOption(options, allow)).toBe(chosen)
  })
})

describe('isBelow', () => {
  it.each([
    ['/a/b', '/a/b/c', true],
    ['/a/b', '/a/b', true],
    ['/a/b', '/a/b/..c', true],
    ['/a/b', '/a/bc', false],
    ['/a/b', '/a', false],
    ['/a/b', '/', false],
  ])('%s holds %s: %s', (root, path, below) => {
    expect(isBelow(root, path)).toBe(below)
  })
})
