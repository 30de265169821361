import { describe, expect, test } from 'vitest'

import { listSecrets } from '../../src/environment-secrets.ts'

describe('listSecrets', () => {
  test.each([
    ['AGENT_HUB_TOKEN', 'a-token-of-length', 'a-token-of-length'],
    ['ANTHROPIC_API_KEY', 'sk-ant-0123456789', 'sk-ant-0123456789'],
    ['CLIENT_SECRET', 'a-secret-of-length', 'a-secret-of-length'],
    ['PGPASSWORD', 'a-password-of-length', 'a-password-of-length'],
    ['DATABASE_URL', 'postgres://keeper:pass%2Fword%20of%20length@db/x', 'pass/word of length'],
    ['HTTPS_PROXY', 'http://clerk:proxy-password@proxy:3128', 'proxy-password'],
    ['SOME_URL', 'https://token:bad%zz-escape-here@host', 'bad%zz-escape-here'],
  ])('%s=%s is one', (name, value, secret) => {
    expect(listSecrets({ [name]: value })).toEqual({ [name]: secret })
  })

  test.each([
    ['HOME', '/home/somebody-with-a-name'],
    ['SSH_AUTH_SOCK', '/tmp/agent/socket-of-ssh'],
    ['KEYBOARD_LAYOUT', 'a-layout-of-length'],
    ['AGENT_HUB_URL', 'http://localhost:8001/a/b/c'],
    ['DATABASE_URL', 'sqlite:///./data/orchestrator.db'],
    // As ordinary words hold it, hiding it would hide them.
    ['DEMO_TOKEN', 'secret'],
    ['EMPTY_TOKEN', undefined],
  ])('%s=%s is none', (name, value) => {
    expect(listSecrets({ [name]: value })).toEqual({})
  })
})
