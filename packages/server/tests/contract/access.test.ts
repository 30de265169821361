import { ROLES } from '@orchestrator/contract'
import { pino } from 'pino'
import { afterEach, expect, it } from 'vitest'

import { createServer, listen, type Actor, type Server } from '../../src/index.ts'

let app: Server | undefined
afterEach(() => app?.close())

async function server(role: Actor['role'] = 'viewer', roles_required = true): Promise<Server> {
  app = await createServer({
    name: 'test',
    title: 'Test service',
    version: '1.2.3',
    description: 'For tests',
    logger: pino({ level: 'silent' }),
    allowed_hosts: [],
    host: '0.0.0.0',
    port: 0,
    trust_proxy: false,
    authenticate: async () => ({ name: 'Robin', role, key_id: null, workspaces: null }),
    roles_required,
  })
  return app
}

const open = (app: Server) => listen(app, { host: '127.0.0.1', port: 0 })

it('does not start with a route that does not say who may ask', async () => {
  const app = await server()
  app.get('/forgotten', async () => 'secret')
  await expect(app.ready()).rejects.toThrow('GET /forgotten says neither')
})

it('does not start with a route that nobody may ask', async () => {
  const app = await server()
  app.get('/forgotten', { config: { roles: [] } }, async () => 'secret')
  await expect(app.ready()).rejects.toThrow('GET /forgotten')
})

it('starts where keys have no roles', async () => {
  const app = await server('viewer', false)
  app.get('/open', async () => 'told')
  expect((await fetch(`${await open(app)}/open`)).status).toBe(200)
})

it.each([...ROLES, 'local'] as const)('answers a %s what they may', async (role) => {
  const app = await server(role)
  for (const one of ROLES) app.get(`/${one}`, { config: { roles: [one] } }, async () => 'told')
  const url = await open(app)
  const answers = await Promise.all(ROLES.map(async (one) => (await fetch(`${url}/${one}`)).status))
  expect(answers).toEqual(ROLES.map((one) => (one === role || role === 'local' ? 200 : 403)))
})

it('tells what is needed', async () => {
  const app = await server('viewer')
  app.post('/things', { config: { roles: ['submitter', 'admin'] } }, async () => 'told')
  const answer = await fetch(`${await open(app)}/things`, { method: 'POST' })
  expect(await answer.json()).toEqual({
    error: { code: 'FORBIDDEN', message: 'This needs a key with the role submitter or admin; yours is viewer.' },
  })
})

it('lists every route with its access, hidden ones included', async () => {
  const app = await server()
  app.get('/health', { config: { public: true }, schema: { hide: true } }, async () => 'up')
  await app.ready()
  expect(app.listAccess()).toEqual(
    expect.arrayContaining([
      { method: 'GET', url: '/health', access: 'public', scope: undefined },
      { method: 'HEAD', url: '/health', access: 'public', scope: undefined },
      { method: 'GET', url: '/openapi.json', access: ROLES, scope: 'shared' },
    ]),
  )
})
