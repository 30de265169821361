import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

import { isSameOrigin, type Provenance } from '../../src/same-origin.ts'

const OWN = 'localhost:8000'
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

const unknown: Provenance = {
  method: 'GET',
  origin: undefined,
  sec_fetch_site: undefined,
  sec_fetch_mode: undefined,
  sec_fetch_dest: undefined,
}
const from = (headers: Partial<Provenance>) => isSameOrigin({ ...unknown, ...headers }, [OWN])

const method = fc.constantFrom(...METHODS)
const mode = fc.constantFrom(undefined, 'cors', 'no-cors', 'same-origin', 'navigate', 'websocket')
const dest = fc.constantFrom(undefined, 'empty', 'document', 'iframe', 'image', 'script')
const foreignOrigin = fc.oneof(
  fc.domain().map((name) => `https://${name}`),
  fc.constantFrom(
    'null',
    '',
    'http://localhost',
    'http://localhost:3000',
    'http://127.0.0.1:8000',
    'http://localhost:8000.evil.com',
    'http://localhost:8000@evil.com',
    'http://evil.com/localhost:8000',
    'file://localhost:8000',
    'http://localhost:8000, http://evil.com',
    'chrome-extension://localhost:8000',
  ),
)

describe('where a request comes from', () => {
  test('no browser at all: every verb may pass', () => {
    expect(METHODS.filter((verb) => !from({ method: verb }))).toEqual([])
  })

  test('our own pages and the address bar: every verb may pass', () => {
    const site = fc.constantFrom('same-origin', 'none')
    fc.assert(
      fc.property(method, site, mode, dest, (verb, sec_fetch_site, sec_fetch_mode, sec_fetch_dest) => {
        expect(from({ method: verb, origin: `http://${OWN}`, sec_fetch_site, sec_fetch_mode, sec_fetch_dest })).toBe(
          true,
        )
        expect(from({ method: verb, sec_fetch_site, sec_fetch_mode, sec_fetch_dest })).toBe(true)
      }),
    )
  })

  test('a foreign Origin: no verb may pass, whatever else the request says', () => {
    const site = fc.constantFrom(undefined, 'same-origin', 'none', 'same-site', 'cross-site')
    fc.assert(
      fc.property(
        method,
        foreignOrigin,
        site,
        mode,
        dest,
        (verb, origin, sec_fetch_site, sec_fetch_mode, sec_fetch_dest) => {
          expect(from({ method: verb, origin, sec_fetch_site, sec_fetch_mode, sec_fetch_dest })).toBe(false)
        },
      ),
    )
  })

  test('another site: only a link followed at the top may pass', () => {
    const site = fc.constantFrom('same-site', 'cross-site', 'something-new', 'same-origin, cross-site')
    fc.assert(
      fc.property(method, site, mode, dest, (verb, sec_fetch_site, sec_fetch_mode, sec_fetch_dest) => {
        const isLink = ['GET', 'HEAD'].includes(verb) && sec_fetch_mode === 'navigate' && sec_fetch_dest === 'document'
        expect(from({ method: verb, sec_fetch_site, sec_fetch_mode, sec_fetch_dest })).toBe(isLink)
      }),
    )
  })

  test('a port that goes without saying is the scheme’s', () => {
    expect(isSameOrigin({ ...unknown, origin: 'https://team.example' }, ['team.example'])).toBe(true)
    expect(isSameOrigin({ ...unknown, origin: 'https://team.example' }, ['team.example:443'])).toBe(true)
    expect(isSameOrigin({ ...unknown, origin: 'https://team.example' }, ['team.example:80'])).toBe(false)
    expect(isSameOrigin({ ...unknown, origin: 'http://[::1]:8000' }, ['[::1]:8000'])).toBe(true)
  })
})
