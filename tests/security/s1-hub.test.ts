import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { OPEN_SERVICES, type EitherService } from './both-services.ts'
import { HEADERS, ID, MUTATIONS, VERBS } from './path-mutations.ts'
import { onEach, openRaw, type RawAsk } from './wide-service.ts'

const TOKEN = 'the-secret-of-both-services'
const [, startHub] = OPEN_SERVICES.find(([name]) => name === 'agent-hub')!

/** Shapes that are nearly the hub's token. */
const NEARLY = [
  '',
  'Bearer',
  'Bearer ',
  `Bearer ${TOKEN.slice(0, -1)}`,
  `Bearer ${TOKEN}x`,
  `Bearer ${TOKEN.toUpperCase()}`,
  `Bearer ${TOKEN}, Bearer x`,
  `Bearer x ${TOKEN}`,
  `Basic ${Buffer.from(`hub:${TOKEN}`).toString('base64')}`,
  TOKEN,
  `Token ${TOKEN}`,
  'Bearer undefined',
  'Bearer null',
  'Bearer [object Object]',
]

describe('without its token, a hub that is open to others', () => {
  let hub: EitherService
  let raw: ReturnType<typeof openRaw>
  let host: string
  let paths: string[]

  beforeAll(async () => {
    hub = await startHub({ HUB_HOST: '0.0.0.0', AGENT_HUB_TOKEN: TOKEN })
    raw = openRaw(`http://127.0.0.1:${hub.port}`)
    host = `127.0.0.1:${hub.port}`
    const documented = Object.keys(hub.document.paths)
    const registered = hub.access.map(({ url }) => url.replace('*', 'x'))
    const fill = (path: string) => path.replaceAll(/\{\w+\}|:\w+/g, ID)
    paths = [...new Set(['/nothing', '/', ...[...documented, ...registered].map(fill)])]
  })
  afterAll(async () => {
    raw.close()
    await hub.close()
  })

  /** `/health` and its letters in other spellings (RFC 3986, section 6.2.2.2). */
  const isPublic = ({ method, path }: RawAsk) => {
    const letter = (code: string) => String.fromCharCode(Number.parseInt(code.slice(1), 16))
    const plain = (path.split(/[?#]/, 1)[0] ?? '').replaceAll(/%[4-7][1-9a]/gi, letter)
    return ['GET', 'HEAD'].includes(method) && plain === '/health'
  }
  const answered = async (asks: RawAsk[]) => {
    const answers = await onEach(asks, async (one) => ({ ...one, ...(await raw.ask(one)) }))
    return answers
      .filter(({ status }) => status !== 401)
      .map(({ method, path, status }) => `${method} ${path} ${status}`)
  }

  it('says of every route who may ask: nobody but orchestrators, or everybody how it is', () => {
    const told = hub.access.filter(({ url }) => !/^\/(?:docs|redoc|openapi)/.test(url))
    expect(told.length).toBeGreaterThan(20)
    const open = told.filter(({ access }) => access === 'public').map(({ method, url }) => `${method} ${url}`)
    expect(open.toSorted()).toEqual(['GET /health', 'HEAD /health'])
    const closed = told.filter(({ access }) => access !== 'public').map(({ access }) => access)
    expect(closed).toEqual(closed.map(() => ['hub']))
  })

  it('refuses every route but /health, however it is spelled, by every verb', async () => {
    const asks = paths
      .flatMap((path) =>
        VERBS.flatMap((method) => MUTATIONS.map((mutate) => ({ method, path: mutate(path), headers: { host } }))),
      )
      .filter((one) => !isPublic(one))
    expect(asks.length).toBeGreaterThan(2000)
    expect(await answered(asks)).toEqual([])
  })

  it('refuses what only claims or resembles it', async () => {
    const claims = [...HEADERS, ...NEARLY.map((authorization) => ({ authorization }))]
    const asks = paths
      .flatMap((path) => claims.map((claim): RawAsk => ({ method: 'GET', path, headers: { host, ...claim } })))
      .filter((one) => !isPublic(one))
    expect(asks.length).toBeGreaterThan(300)
    expect(await answered(asks)).toEqual([])
    const right = await raw.ask({ method: 'GET', path: '/agents', headers: { host, authorization: `Bearer ${TOKEN}` } })
    expect(right.status).toBe(200)
  })
})
