import { verifyExport } from '@orchestrator/audit'
import type { Role, Workflow } from '@orchestrator/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { leave } from '../../services/orchestrator/tests/artifacts.ts'
import { readEvents } from '../../services/orchestrator/tests/event-reader.ts'
import { startPlainHub, type PlainHub } from '../../services/orchestrator/tests/plain-hub.ts'
import {
  clientOf,
  DESCRIPTION,
  startService,
  type Client,
  type Service,
} from '../../services/orchestrator/tests/service.ts'
import { validBodies } from './valid-bodies.ts'
import { onEach } from './wide-service.ts'

const UNKNOWN = {
  id: '00000000-0000-4000-8000-000000000000',
  feature_id: '999-nothing',
  digest: '0'.repeat(64),
  base: '0'.repeat(64),
}
const MORE = {
  question_id: '0'.repeat(16),
  item_id: '0'.repeat(16),
  draft_id: '00000000-0000-4000-8000-00000000000d',
  workflow_type: 'plan',
  phase: 'phase_2',
  key_id: '000000000000',
}
type Named = Record<keyof typeof UNKNOWN, string>

let hub: PlainHub
let service: Service
let admin: Client
/** Of `shop` alone. */
let shop: Record<'admin' | 'submitter' | 'reviewer', Client & { key: string }>
let own: Workflow
let other: Workflow
let named: Named

const issue = async (name: string, role: Role, workspaces?: string[]) => {
  const { body } = await admin.request('POST', '/keys', { name, role, ...(workspaces && { workspaces }) })
  return { ...clientOf(admin.url, body.key), key: body.key as string, id: body.id as string }
}
const bearer = (key: string) => ({ authorization: `Bearer ${key}` })
const namedBy = async (workflow: Workflow): Promise<Named> => {
  const [attempt] = await admin.attempts(workflow.id)
  const digest = attempt?.artifacts[0]?.digest ?? ''
  return { id: workflow.id, feature_id: workflow.feature_id, digest, base: digest }
}

beforeAll(async () => {
  hub = await startPlainHub()
  hub.agents = { items: [], default: 'demo' }
  const items = ['shop', 'site'].map((name) => ({ name, location: `/${name}`, default: name === 'shop' }))
  hub.more.set('GET /workspaces', { status: 200, body: { items, next_cursor: null } })
  service = await startService({ hub: hub.url, env: { HOST: '0.0.0.0', FOUR_EYES: 'off' } })
  admin = clientOf(service.url.replace('0.0.0.0', '127.0.0.1'), service.first_key)
  const [kept, submitter, reviewer] = await Promise.all(
    (['admin', 'submitter', 'reviewer'] as const).map((role) => issue('Robin', role, ['shop'])),
  )
  shop = { admin: kept, submitter, reviewer } as typeof shop
  hub.next(
    leave(hub, { 'specs/001-x/spec.md': '# Of the shop\n' }),
    leave(hub, { 'specs/002-x/spec.md': '# Of the site\n' }),
  )
  own = await admin.create({ workspace: 'shop' })
  await admin.until(own.id, 'waiting_approval')
  other = await admin.create({ workspace: 'site' })
  await admin.until(other.id, 'waiting_approval')
  named = await namedBy(other)
})
afterAll(async () => {
  await service.close()
  await hub.close()
})

describe('a key of one workspace', () => {
  /** What every route says, with what another workspace names, or what nobody knows. */
  const sweep = async (client: Client, names: Named) => {
    const bodies = validBodies({ attempt_id: UNKNOWN.id, key: service.first_key })
    const routes = service.access.filter(
      ({ access, method, url }) => access !== 'public' && method !== 'HEAD' && url !== '/docs/*',
    )
    return onEach(routes, async ({ method, url, scope }) => {
      const documented = url.replaceAll(/:(\w+)/g, '{$1}')
      const path = url.replaceAll(/:(\w+)/g, (_, name: string) => ({ ...MORE, ...names })[name] ?? '')
      // A stream that opens would not end.
      const query = url.endsWith('/diff') ? `?from=${UNKNOWN.id}&to=${UNKNOWN.id}` : ''
      const asked = scope !== 'workflow' && url.endsWith('/events') ? 'GET /queue' : `${method} ${path}${query}`
      const [verb = '', asked_path = ''] = asked.split(' ')
      const { status, text } = await client.request(verb, asked_path, bodies[`${method} ${documented}`])
      const said = Object.values(names).reduce((words, name) => words.replaceAll(name, '…'), text)
      return { route: `${method} ${url}`, scope, status, said }
    })
  }

  it('meets what is of another workspace as what does not exist, on every route', async () => {
    const [others, nothing] = [await sweep(shop.admin, named), await sweep(shop.admin, UNKNOWN)]
    const hidden = others.filter(({ scope }) => ['workflow', 'feature', 'artifact'].includes(scope ?? ''))
    expect(hidden.length).toBeGreaterThan(20)
    expect(hidden.filter(({ status }) => status !== 404)).toEqual([])
    const unknown = new Map(nothing.map((answer) => [answer.route, answer]))
    expect(hidden.filter(({ route, said }) => unknown.get(route)?.said !== said)).toEqual([])
  })

  it('is refused by every route that is about all workspaces', async () => {
    const closed = (await sweep(shop.admin, UNKNOWN)).filter(({ scope }) => scope === undefined)
    expect(closed.length).toBeGreaterThan(8)
    expect(closed.filter(({ status }) => status !== 403)).toEqual([])
    expect(new Set(closed.map(({ said }) => JSON.parse(said).error.message))).toEqual(
      new Set(['This is about all workspaces, and your key is for shop alone.']),
    )
  })

  it('lists what is its own, page by page', async () => {
    const made = [own.id]
    for (let count = 0; count < 5; count++) {
      made.push((await admin.create({ workspace: 'shop' })).id)
      await admin.create({ workspace: 'site' })
    }
    const ids: string[] = []
    for (let cursor = ''; ids.length < 20;) {
      const { body } = await shop.reviewer.request('GET', `/workflows?limit=2${cursor}`)
      ids.push(...body.items.map(({ id }: Workflow) => id))
      cursor = `&cursor=${body.next_cursor}`
      if (body.next_cursor === null) break
    }
    expect(ids).toEqual(made.toReversed())
    const features = (await shop.reviewer.request('GET', '/features?limit=200')).body.items as { workspace: string }[]
    expect(features.map(({ workspace }) => workspace)).toEqual(Array.from({ length: 6 }, () => 'shop'))
    const workspaces = (await shop.reviewer.request('GET', '/workspaces')).body.items as { name: string }[]
    expect(workspaces.map(({ name }) => name)).toEqual(['shop'])
    expect((await shop.reviewer.request('GET', '/session')).body).toMatchObject({ workspaces: ['shop'] })
  })

  it('lists two workspaces as one list', async () => {
    const both = await issue('Kim', 'viewer', ['shop', 'site'])
    const seen = (await both.request('GET', '/workflows?limit=200')).body.items
    expect(seen).toEqual((await admin.request('GET', '/workflows?limit=200')).body.items)
  })

  it('creates in its own workspace alone', async () => {
    const create = (body: object) => shop.submitter.request('POST', '/workflows', { workflow_type: 'specify', ...body })
    for (const more of [{}, { workspace: 'site' }, { workspace: 'nowhere' }]) {
      const { status, body } = await create({ feature_description: DESCRIPTION, ...more })
      expect(status).toBe(403)
      expect(body.error.message).toMatch(/^Your key is for shop alone, .* name one of yours as "workspace"\.$/)
    }
    const continued = await create({ feature_id: other.feature_id, workflow_type: 'plan' })
    expect([continued.status, continued.body.error.code]).toEqual([404, 'FEATURE_NOT_FOUND'])
    const made = await create({ feature_description: DESCRIPTION, workspace: 'shop' })
    expect(made.status).toBe(201)
    expect((await shop.submitter.request('POST', `/workflows/${made.body.id}/cancel`)).status).toBe(200)
  })

  it('does not find a feature in the repository of another workspace', async () => {
    hub.more.set('GET /workspaces/site/features/700-old', {
      status: 200,
      body: { feature_id: '700-old', workspace: 'site', description: DESCRIPTION, documents: ['spec.md'] },
    })
    const body = { workflow_type: 'plan', feature_id: '700-old', workspace: 'site' }
    expect((await shop.submitter.request('POST', '/workflows', body)).body.error.code).toBe('FEATURE_NOT_FOUND')
    expect((await admin.request('POST', '/workflows', body)).status).toBe(201)
  })

  it('decides on its own, and on nothing else', async () => {
    const refused = await shop.reviewer.advance(other.id, 'human_approved')
    expect([refused.status, refused.body.error.code]).toEqual([404, 'WORKFLOW_NOT_FOUND'])
    expect((await admin.get(other.id)).status).toBe('waiting_approval')
    expect((await shop.reviewer.advance(own.id, 'human_approved')).status).toBe(200)
  })

  it('hears of its own alone, from the beginning and as it happens', async () => {
    const stream = await readEvents(`${admin.url}/events?after=0`, bearer(shop.reviewer.key))
    const late = await admin.create({ workspace: 'site' })
    const last = await admin.create({ workspace: 'shop' })
    await expect.poll(() => stream.events.map(({ workflow_id }) => workflow_id)).toContain(last.id)
    const told = new Set(stream.events.map(({ workflow_id }) => workflow_id))
    await stream.leave()
    expect([told.has(own.id), told.has(other.id), told.has(late.id)]).toEqual([true, false, false])
    const { body } = await shop.reviewer.request('GET', '/workflows?limit=200')
    const shown = new Set(body.items.map(({ id }: Workflow) => id))
    expect([...told].filter((id) => !shown.has(id))).toEqual([])
  })

  it('exports the history of its own, which verifies and says what it is', async () => {
    const { text } = await shop.admin.request('GET', '/audit/export')
    expect(text).toContain(own.id)
    expect(text).not.toContain(other.id)
    async function* chunks() {
      yield text
    }
    expect(await verifyExport(chunks())).toMatchObject({ fault: null, workspaces: ['shop'] })
  })

  it('gives no admin the keys, not even of its own workspace', async () => {
    for (const workspaces of [undefined, ['shop']]) {
      const body = { name: 'Sasha', role: 'admin', ...(workspaces && { workspaces }) }
      expect((await shop.admin.request('POST', '/keys', body)).status).toBe(403)
    }
    // Nor does it count as one of an admin who is left.
    const [whole] = (await admin.request('GET', '/keys')).body.items as { id: string; role: string }[]
    const { status, body } = await admin.request('POST', `/keys/${whole?.id}/revoke`)
    expect([status, body.error.code]).toEqual([409, 'LAST_ADMIN_KEY'])
  })
})

describe('a key that names workspaces', () => {
  it.each([
    ['none', []],
    ['one twice', ['shop', 'shop']],
    ['what is no name', ['../shop']],
    ['text', 'shop'],
    ['null', null],
  ])('cannot name %s', async (_, workspaces) => {
    const { status, body } = await admin.request('POST', '/keys', { name: 'Kim', role: 'viewer', workspaces })
    expect([status, body.error.code, body.error.details[0].field]).toMatchObject([
      422,
      'VALIDATION_ERROR',
      expect.stringMatching(/^workspaces/),
    ])
  })
})
