import { pino } from 'pino'
import { afterEach, describe, expect, test } from 'vitest'

import { createServer, listen, type Server, StartupError } from '../../src/index.ts'

const open: Server[] = []
afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()))
})

async function server(host = '127.0.0.1'): Promise<Server> {
  const app = await createServer({
    name: 'test',
    title: 'Test',
    version: '1.0.0',
    description: '',
    logger: pino({ level: 'silent' }),
    allowed_hosts: [],
    host,
    port: 0,
    trust_proxy: false,
    authenticate: async () => ({ name: 'local', role: 'local', key_id: null, workspaces: null }),
  })
  open.push(app)
  return app
}

const problemOf = (listening: Promise<string>) =>
  listening.then(
    () => undefined,
    (error: unknown) => error,
  )

describe('listen', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['localhost', 'localhost'],
    ['0.0.0.0', 'localhost'],
  ])('on %s at port 0 tells the URL it can be reached at', async (host, shown) => {
    const url = await listen(await server(host), { host, port: 0 })
    expect(new URL(url).hostname).toBe(shown)
    const response = await fetch(`${url}/openapi.json`)
    expect(response.status).toBe(200)
  })

  test('a port in use is a StartupError that names the setting', async () => {
    const first = await listen(await server(), { host: '127.0.0.1', port: 0 })
    const port = Number(new URL(first).port)
    const plain = await problemOf(listen(await server(), { host: '127.0.0.1', port }))
    const named = await problemOf(
      listen(await server(), { host: '127.0.0.1', port, variables: { host: 'HUB_HOST', port: 'HUB_PORT' } }),
    )
    expect(plain).toBeInstanceOf(StartupError)
    expect([plain, named]).toMatchObject([
      { message: `Port ${port} on 127.0.0.1 is in use: stop what uses it, or set PORT to a free one.` },
      { message: `Port ${port} on 127.0.0.1 is in use: stop what uses it, or set HUB_PORT to a free one.` },
    ])
  })

  test.each(['203.0.113.7', 'no such host'])('%s, which is not ours, is a StartupError', async (host) => {
    const problem = await problemOf(listen(await server(), { host, port: 0 }))
    expect(problem).toEqual(
      new StartupError(`${host} is not an address of this machine: set HOST to one that is, such as 127.0.0.1.`),
    )
  })

  test('closing does not wait for connections that are kept', async () => {
    const app = await server()
    const url = await listen(app, { host: '127.0.0.1', port: 0 })
    await (await fetch(`${url}/openapi.json`)).text()
    const started = performance.now()
    await app.close()
    // Kept connections would be kept for more than a minute.
    expect(performance.now() - started).toBeLessThan(20_000)
  })
})
