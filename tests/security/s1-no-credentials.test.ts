import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { HEADERS, ID, MUTATIONS, VERBS } from './path-mutations.ts'
import { onEach, openRaw, startWideService, type RawAsk, type WideService } from './wide-service.ts'

/** Nobody needs a key for these; docs/security.md publishes the same list. */
const PUBLIC = [
  'GET /',
  'GET /assets/:file',
  'GET /features',
  'GET /features/:feature_id',
  'GET /health',
  'GET /new',
  'GET /settings',
  'GET /workflows',
  'GET /workflows/:id',
  'DELETE /session',
  'POST /session',
]
/** Of those, the ones that are the API's too; without a key they give the page, and only to who asks for `text/html`. */
const PAGE_ONLY = ['GET /features', 'GET /features/:feature_id', 'GET /workflows', 'GET /workflows/:id']

let service: WideService
let paths: string[]
let raw: ReturnType<typeof openRaw>
let host: string

beforeAll(async () => {
  service = await startWideService()
  raw = openRaw(service.url.replace('0.0.0.0', '127.0.0.1'))
  host = `127.0.0.1:${new URL(service.url).port}`
  const document = (await service.admin.request('GET', '/openapi.json')).body as { paths: object }
  const documented = Object.keys(document.paths)
  const registered = service.access.map(({ url }) => url)
  const fill = (path: string) => path.replaceAll(/\{\w+\}|:\w+/g, ID).replace('*', 'x')
  paths = [...new Set([...documented, ...registered].map(fill))]
})
afterAll(async () => {
  raw.close()
  await service.close()
})

/** A request line can name its whole target; what is public by its own right is none of these. */
const isPublic = ({ method, path, headers }: RawAsk) => {
  // A letter is the same letter as `%68` (RFC 3986, section 6.2.2.2).
  const letter = (code: string) => String.fromCharCode(Number.parseInt(code.slice(1), 16))
  const plain = (path.split(/[?#]/, 1)[0] ?? '').replaceAll(/%[4-7][1-9a]/gi, letter)
  const isPage = headers?.['accept']?.includes('text/html') === true
  return PUBLIC.filter((route) => isPage || !PAGE_ONLY.includes(route)).some((route) => {
    const [verb = '', url = ''] = route.split(' ')
    const verbs = verb === 'GET' ? ['GET', 'HEAD'] : [verb]
    return verbs.includes(method) && new RegExp(`^${url.replaceAll(/:\w+/g, '[^/]+')}$`).test(plain)
  })
}

const wrong = async (asks: RawAsk[], refusals = [401]) => {
  const answers = await onEach(asks, async (one) => ({ ...one, ...(await raw.ask(one)) }))
  return answers
    .filter(({ status }) => !refusals.includes(status))
    .map(({ method, path, status }) => `${method} ${path} ${status}`)
}

describe('without a key, on a service that is open to others', () => {
  it('the public routes are the published ones', () => {
    const open = service.access.filter(({ access, method }) => access === 'public' && method !== 'HEAD')
    expect(new Set(open.map(({ method, url }) => `${method} ${url}`))).toEqual(new Set(PUBLIC))
  })

  it('every other route refuses, however it is spelled, by every verb', async () => {
    const asks = paths
      .flatMap((path) =>
        VERBS.flatMap((method) => MUTATIONS.map((mutate) => ({ method, path: mutate(path), headers: { host } }))),
      )
      .filter((one) => !isPublic(one))
    expect(asks.length).toBeGreaterThan(2000)
    expect(await wrong(asks)).toEqual([])
  })

  it('every other route refuses, whatever its headers claim', async () => {
    const asks = paths
      .flatMap((path) =>
        ['GET', 'POST'].flatMap((method) =>
          HEADERS.map((headers) => ({ method, path, headers: { host, ...headers } as Record<string, string> })),
        ),
      )
      .filter((one) => !isPublic(one))
    expect(asks.length).toBeGreaterThan(500)
    // Among them are wrong keys, of which an address may show so many.
    expect(await wrong(asks, [401, 429])).toEqual([])
  })

  it('every stream refuses', async () => {
    const streams = paths.filter((path) => path.endsWith('/events'))
    expect(streams).toHaveLength(2)
    const accept = 'text/event-stream'
    const asks = streams.flatMap((path) =>
      ['', '?after=0', '?key=x', '?access_token=x'].map((query) => ({
        method: 'GET',
        path: path + query,
        headers: { host, accept, 'last-event-id': '0' },
      })),
    )
    expect(await wrong(asks)).toEqual([])
  })

  it('the page that is public gives the page and no data', async () => {
    const made = await service.admin.create()
    const answers = await onEach(['/workflows', `/workflows/${made.id}`, '/features'], (path) =>
      raw.ask({ method: 'GET', path, headers: { host, accept: 'text/html' } }),
    )
    // No page is built here: the service says so.
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503])
    expect(answers.map(({ text }) => text).join()).not.toContain(made.id)
  })
})
