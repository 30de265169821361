import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { createHostAllowList, isLoopback, parseHost } from '../../src/host-allow-list.ts'

/** Whether a server bound to `host` at port 8000 answers to a `Host` header. */
function answers(header: string, o: { host?: string; allowed_hosts?: string[] } = {}): boolean {
  const allows = createHostAllowList({ host: o.host ?? '127.0.0.1', allowed_hosts: o.allowed_hosts ?? [] })
  const host = parseHost(header)
  return host !== undefined && allows(host, 8000)
}

const loopback = fc.constantFrom('localhost', '127.0.0.1', '[::1]', 'LOCALHOST', 'LocalHost')
const port = fc.integer({ min: 1, max: 65_535 })
const domain = fc.domain().filter((name) => name !== 'localhost')
const bound = fc.constantFrom('127.0.0.1', 'localhost', '0.0.0.0', '::', '::1')

describe('the host allow-list', () => {
  test('knows the loopback names at our own port, whatever is bound', () => {
    fc.assert(
      fc.property(loopback, bound, (name, host) => {
        expect(answers(`${name}:8000`, { host })).toBe(true)
      }),
    )
  })

  test('knows them at no other port', () => {
    const other = port.filter((number) => number !== 8000)
    fc.assert(
      fc.property(loopback, other, bound, (name, number, host) => {
        expect(answers(`${name}:${number}`, { host })).toBe(false)
      }),
    )
    fc.assert(
      fc.property(loopback, bound, (name, host) => {
        expect(answers(name, { host })).toBe(false)
      }),
    )
  })

  test('knows no foreign name, whatever port it comes with', () => {
    fc.assert(
      fc.property(domain, port, bound, (name, number, host) => {
        expect(answers(`${name}:${number}`, { host })).toBe(false)
      }),
    )
    fc.assert(
      fc.property(domain, bound, (name, host) => {
        expect(answers(name, { host })).toBe(false)
      }),
    )
  })

  test('knows no address that merely looks like loopback', () => {
    const lookalikes = [
      'localhost.evil.com',
      'evil-localhost',
      '127.0.0.1.evil.com',
      '127.0.0.2',
      '127.1',
      '0x7f000001',
      '2130706433',
      '0.0.0.0',
      '[::]',
      '[::ffff:127.0.0.1]',
      'localhost.',
    ]
    expect(lookalikes.filter((name) => answers(`${name}:8000`, { host: '0.0.0.0' }))).toEqual([])
  })

  test('knows configured names: bare at any port, with a port at that one', () => {
    fc.assert(
      fc.property(domain, port, port, (name, number, other) => {
        expect(answers(`${name.toUpperCase()}:${number}`, { allowed_hosts: [name] })).toBe(true)
        expect(answers(name, { allowed_hosts: [name] })).toBe(true)
        expect(answers(`${name}:${number}`, { allowed_hosts: [`${name}:${number}`] })).toBe(true)
        expect(answers(`${name}:${other}`, { allowed_hosts: [`${name}:${number}`] })).toBe(other === number)
        expect(answers(`sub.${name}`, { allowed_hosts: [name] })).toBe(false)
      }),
    )
  })

  test('knows the address it is bound to', () => {
    expect(answers('192.168.7.9:8000', { host: '192.168.7.9' })).toBe(true)
    expect(answers('192.168.7.8:8000', { host: '192.168.7.9' })).toBe(false)
    expect(answers('[fd00::1]:8000', { host: 'fd00::1' })).toBe(true)
  })

  test('a name without a port means port 80', () => {
    const allows = createHostAllowList({ host: '127.0.0.1', allowed_hosts: [] })
    expect(allows({ name: 'localhost', port: undefined }, 80)).toBe(true)
    expect(allows({ name: 'localhost', port: undefined }, 8000)).toBe(false)
  })
})

describe('parseHost', () => {
  test.each([
    '',
    ' ',
    'a b',
    'a,b',
    'user@localhost',
    'localhost:',
    'localhost:8000:1',
    'localhost:99999',
    'http://localhost',
    'localhost/x',
    '[::1',
    '[nope]',
    '::1',
    'localhost:8000\\@evil.com',
    'münchen.example',
    'a'.repeat(300),
  ])('refuses %o', (header) => {
    expect(parseHost(header)).toBeUndefined()
  })

  test('never throws', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (header) => {
        expect(() => parseHost(header)).not.toThrow()
      }),
    )
  })
})

test('isLoopback tells what only this machine can reach', () => {
  const inside = ['localhost', 'LOCALHOST', '127.0.0.1', '127.8.9.10', '::1', '[::1]']
  const outside = ['0.0.0.0', '::', '[::]', '10.0.0.1', '127.0.0.1.evil.com', 'localhost.evil.com', '128.0.0.1', '']
  expect(inside.filter((host) => !isLoopback(host))).toEqual([])
  expect(outside.filter(isLoopback)).toEqual([])
})
