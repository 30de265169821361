import { createdKeySchema, keyPageSchema, keySchema } from '@orchestrator/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { startKeyedService, type KeyedService } from './keyed-service.ts'

let service: KeyedService
beforeAll(async () => {
  service = await startKeyedService()
})
afterAll(() => service.close())

const keys = (words: string[], key?: string) => service.ask(['keys', ...words], key)

describe('orchestrator keys', () => {
  it('makes a key that works, lists it, and ends it', async () => {
    const made = await keys([
      'create',
      'Robin',
      '--role',
      'submitter',
      '--expires-at',
      '2999-01-31T12:00:00Z',
      '--json',
    ])
    expect({ exit_code: made.exit_code, errors: made.errors }).toEqual({ exit_code: 0, errors: '' })
    const { key, ...robin } = createdKeySchema.parse(JSON.parse(made.text))
    const authorization = `Bearer ${key}`
    expect((await fetch(`${service.url}/workflows`, { headers: { authorization } })).status).toBe(200)

    const listed = await keys(['list', '--json'])
    expect(keyPageSchema.parse(JSON.parse(listed.text)).items).toEqual([
      expect.objectContaining({ name: 'admin', role: 'admin' }),
      robin,
    ])
    expect((await keys(['list'])).text).toContain(`${robin.id}  submitter  good until 2999-01-31`)

    const revoked = await keys(['revoke', robin.id, '--json'])
    expect(keySchema.parse(JSON.parse(revoked.text)).revoked_at).not.toBeNull()
    expect((await fetch(`${service.url}/workflows`, { headers: { authorization } })).status).toBe(401)
    expect((await keys(['list'])).text).toContain(`${robin.id}  submitter  revoked`)
  })

  it('shows a person the key on a line of its own', async () => {
    const { text } = await keys(['create', 'Kim', '--role', 'viewer'])
    expect(text).toMatch(/^Key [0-9a-f]{12} of Kim \(viewer\), shown this once:\nok_[0-9a-f]{12}_[\w-]{43}$/)
  })

  it('makes a key for single workspaces, and says so', async () => {
    const { text } = await keys(['create', 'Sasha', '--role', 'reviewer', '--workspaces', 'shop,site'])
    expect(text).toMatch(/^Key [0-9a-f]{12} of Sasha \(reviewer, only shop, site\), shown this once:\n/)
    expect((await keys(['list'])).text).toContain('Sasha, only shop, site')
  })

  it.each([
    [
      'what is no workspace',
      ['create', 'Robin', '--role', 'viewer', '--workspaces', '../x'],
      undefined,
      2,
      'workspaces.0',
    ],
    ['no key', ['list'], '', 1, 'needs a key'],
    ['a wrong key', ['list'], `ok_000000000000_${'A'.repeat(43)}`, 1, 'not known'],
    ['an unknown id', ['revoke', '000000000000'], undefined, 1, 'no key 000000000000'],
    ['what is no id', ['revoke', 'Robin'], undefined, 1, 'id of a key'],
    ['no service there', ['list', '--url', 'http://127.0.0.1:1'], undefined, 1, 'cannot be reached'],
    ['no URL', ['list', '--url', 'here'], undefined, 2, '--url must be'],
    ['no role', ['create', 'Robin'], undefined, 2, '--role'],
    ['a role there is not', ['create', 'Robin', '--role', 'owner'], undefined, 2, 'Allowed choices'],
    ['a reserved name', ['create', 'local', '--role', 'viewer'], undefined, 2, 'name'],
    [
      'a past time',
      ['create', 'Robin', '--role', 'viewer', '--expires-at', '2001-01-01T00:00:00Z'],
      undefined,
      1,
      'ahead',
    ],
    ['what is no time', ['create', 'Robin', '--role', 'viewer', '--expires-at', 'soon'], undefined, 2, 'expires_at'],
  ])('refuses %s with a sentence and an exit code', async (_, words, key, expected, sentence) => {
    const { exit_code, errors, text } = await keys(words, key)
    expect(errors).toContain(sentence)
    expect({ exit_code, text }).toEqual({ exit_code: expected, text: '' })
  })

  it('never revokes the last admin', async () => {
    const { items } = keyPageSchema.parse(JSON.parse((await keys(['list', '--json'])).text))
    const { exit_code, errors } = await keys(['revoke', items[0]?.id ?? ''])
    expect(exit_code).toBe(1)
    expect(errors).toContain('last key of an admin')
  })
})
