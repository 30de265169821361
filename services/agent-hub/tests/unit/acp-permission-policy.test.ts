import { describe, expect, it } from 'vitest'

import { chooseOption, decidePermission, isBelow } from '../../src/acp/permission-policy.ts'

describe('decidePermission', () => {
  it.each([
    ['edit', true, 'none', true],
    ['edit', true, 'files', true],
    ['edit', false, 'files', false],
    ['edit', null, 'files', true],
    ['edit', null, 'none', false],
    ['delete', false, 'none', false],
    ['move', true, 'none', true],
    ['read', null, 'none', false],
    ['think', null, 'none', true],
    ['execute', true, 'none', false],
    ['execute', null, 'files', true],
    ['fetch', null, 'files', false],
    ['switch_mode', null, 'files', false],
    ['other', true, 'files', false],
    [null, true, 'files', false],
  ] as const)('%s, inside %s, walls %s: %s', (kind, inside, walls, allow) => {
    expect(decidePermission({ kind, title: 'Do it', inside, walls }).allow).toBe(allow)
  })

  it.each([
    ['edit', true],
    ['execute', true],
    ['switch_mode', true],
    ['other', true],
    [null, true],
    // The model's provider may do it for the agent, outside of any walls.
    ['fetch', false],
  ])('%s within walls that hold all: %s', (kind, allow) => {
    expect(decidePermission({ kind, title: 'Do it', inside: false, walls: 'all' }).allow).toBe(allow)
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
    expect(decidePermission({ kind, title, inside: null, walls: 'none' }).allow).toBe(allow)
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
