import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { OPEN_SERVICES, type EitherService } from './both-services.ts'
import { onEach, openRaw, startWideService } from './wide-service.ts'

/** Named by the operator beside the names of this machine. */
const CONFIGURED = 'team.example,other.example:9443'

/** What may stand in `Host`, with our port in the place of PORT, and whether it leads here. */
const HOSTS: [host: string, is_ours: boolean][] = [
  ['localhost:PORT', true],
  ['LOCALHOST:PORT', true],
  ['127.0.0.1:PORT', true],
  ['[::1]:PORT', true],
  ['team.example', true],
  ['team.example:1', true],
  ['other.example:9443', true],
  ['other.example', false],
  ['other.example:PORT', false],
  ['localhost', false],
  ['localhost:1', false],
  ['127.0.0.1', false],
  ['127.0.0.2:PORT', false],
  ['127.1:PORT', false],
  ['2130706433:PORT', false],
  ['0.0.0.0:PORT', false],
  ['[::]:PORT', false],
  ['[::ffff:127.0.0.1]:PORT', false],
  ['localhost.:PORT', false],
  ['localhost.evil.example:PORT', false],
  ['evil.example:PORT', false],
  ['127.0.0.1.nip.io:PORT', false],
  ['localhost:PORT@evil.example', false],
  ['evil.example, localhost:PORT', false],
  ['team.example.evil.example', false],
]

/** What may stand in `Origin`, with the `Host` of the same request in the place of HOST. */
const ORIGINS: [origin: string | undefined, is_ours: boolean][] = [
  [undefined, true],
  ['http://HOST', true],
  ['https://HOST', true],
  ['null', false],
  ['http://evil.example', false],
  ['http://HOST.evil.example', false],
  ['http://evil.example@HOST', false],
  ['http://HOST/', false],
  ['ftp://HOST', false],
  ['file://', false],
  ['chrome-extension://HOST', false],
  ['http://HOST http://evil.example', false],
]

const NAVIGATION = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }
/** What a browser says of where a request comes from, and whether it may: by any verb, by a read, or not at all. */
const FETCHES: [headers: Record<string, string>, may: 'any' | 'read' | 'none'][] = [
  [{}, 'any'],
  [{ 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }, 'any'],
  [{ 'sec-fetch-site': 'none', ...NAVIGATION }, 'any'],
  [{ 'sec-fetch-site': 'cross-site', ...NAVIGATION }, 'read'],
  [{ 'sec-fetch-site': 'same-site', ...NAVIGATION }, 'read'],
  [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }, 'none'],
  [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, 'none'],
  [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }, 'none'],
  [{ 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' }, 'none'],
  [{ 'sec-fetch-site': 'cross-site' }, 'none'],
  [{ 'sec-fetch-site': 'nonsense' }, 'none'],
]

const READS = ['GET', 'HEAD']
const VERBS = [...READS, 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** 421, 403, or whatever the route says to who may ask. */
type Verdict = 'misdirected' | 'forbidden' | 'admitted'
const verdictOf = (status: number): Verdict =>
  status === 421 ? 'misdirected' : status === 403 ? 'forbidden' : 'admitted'

interface Case {
  method: string
  path: string
  headers: Record<string, string>
  expected: Verdict
}

function casesOf(paths: string[], port: number): Case[] {
  const cases = HOSTS.flatMap(([name, host_is_ours]) =>
    ORIGINS.flatMap(([origin, origin_is_ours]) =>
      FETCHES.flatMap(([fetch_headers, may]) =>
        VERBS.map((method): Omit<Case, 'path'> => {
          const host = name.replace('PORT', String(port))
          const headers = { host, ...(origin && { origin: origin.replace('HOST', host) }), ...fetch_headers }
          const may_come = may === 'any' || (may === 'read' && READS.includes(method))
          const admitted = origin_is_ours && may_come ? 'admitted' : 'forbidden'
          return { method, headers, expected: host_is_ours ? admitted : 'misdirected' }
        }),
      ),
    ),
  )
  // Each host, origin and fetch many times over, at each path in turn.
  return cases.map((one, index) => ({ ...one, path: paths[index % paths.length] ?? '/' }))
}

describe.each(OPEN_SERVICES)('%s on loopback', (_name, start) => {
  let service: EitherService
  let raw: ReturnType<typeof openRaw>
  beforeAll(async () => {
    service = await start({ ALLOWED_HOSTS: CONFIGURED })
    raw = openRaw(service.url)
  })
  afterAll(async () => {
    raw.close()
    await service.close()
  })

  it('answers who may ask, and nobody else, whatever Host, Origin and Sec-Fetch say together', async () => {
    const paths = Object.keys(service.document.paths).filter((path) => !path.endsWith('/events'))
    const all = casesOf(['/nothing', '/docs', '/%zz', ...paths], service.port)
    // Every seventh, which is prime to every factor but the verbs; of each verb in turn.
    const cases = all.filter((_, index) => Math.floor(index / 7 + index) % 7 === 0)
    expect(cases.length).toBeGreaterThan(3_000)
    expect(new Set(cases.map(({ expected }) => expected)).size).toBe(3)
    const answers = await onEach(cases, async (one) => ({ ...one, status: (await raw.ask(one)).status }))
    expect(answers.filter(({ status, expected }) => verdictOf(status) !== expected)).toEqual([])
  })

  it('believes no header of a proxy that was not configured', async () => {
    const claims: Record<string, string>[] = [
      { 'x-forwarded-host': `localhost:${service.port}` },
      { forwarded: `host=localhost:${service.port}` },
      { 'x-original-host': `localhost:${service.port}` },
      { 'x-host': `localhost:${service.port}` },
    ]
    const asks = claims.flatMap((claim) => [
      { method: 'GET', path: '/health', headers: { host: 'evil.example', ...claim } },
      {
        method: 'GET',
        path: '/health',
        headers: {
          host: `localhost:${service.port}`,
          origin: 'http://evil.example',
          'x-forwarded-host': 'evil.example',
        },
      },
    ])
    const statuses = await onEach(asks, async (one) => (await raw.ask(one)).status)
    expect(statuses).toEqual(claims.flatMap(() => [421, 403]))
  })
})

describe.each([
  ['is not believed', {}, true],
  ['is believed of a proxy that was configured', { TRUST_PROXY: 'on' }, false],
] as const)('an address that a client claims', (what, env, is_limited) => {
  it(what, async () => {
    const service = await startWideService(env)
    const raw = openRaw(service.admin.url)
    const host = new URL(service.admin.url).host
    // Guesses at a key are counted by address: each of these says that it has another one.
    const guesses = Array.from({ length: 100 }, (_, index) => ({
      method: 'GET',
      path: '/workflows',
      headers: { host, authorization: 'Bearer ok_000000000000_x', 'x-forwarded-for': `192.0.2.${index}` },
    }))
    const statuses = new Set(await onEach(guesses, async (one) => (await raw.ask(one)).status))
    raw.close()
    await service.close()
    expect(statuses).toEqual(new Set(is_limited ? [401, 429] : [401]))
  })
})
