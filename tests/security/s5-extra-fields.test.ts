import { DatabaseSync } from 'node:sqlite'

import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { validBodies } from './valid-bodies.ts'
import { onEach, openRaw, startWideService, type WideService } from './wide-service.ts'

/** What somebody might hope is taken over into a row, a role or a decision. */
const FIELDS: Record<string, unknown> = {
  id: '00000000-0000-4000-8000-000000000000',
  status: 'completed',
  current_phase: 'phase_2',
  result: { done: true },
  error: null,
  created_at: '2001-01-01T00:00:00.000Z',
  completed_at: '2001-01-01T00:00:00.000Z',
  created_by: 'admin',
  approved_by: 'admin',
  approved: true,
  actor: 'admin',
  role: 'admin',
  roles: ['admin'],
  key_id: '000000000000',
  secret_sha256: '0'.repeat(64),
  revoked_at: null,
  retry_of: '00000000-0000-4000-8000-000000000000',
  attempt_id: '00000000-0000-4000-8000-000000000000',
  digest: '0'.repeat(64),
  sequence: 1,
  tenant: 'other',
  is_admin: true,
  constructor: { prototype: { admin: true } },
  __proto__x: { admin: true },
}
/** As text, for `JSON.stringify` would not write this one. */
const PROTOTYPE = '"__proto__":{"admin":true}'

interface Operation {
  method: string
  path: string
  has_body: boolean
}

let service: WideService
let raw: ReturnType<typeof openRaw>
let operations: Operation[]
let ids: Record<string, string>
let bodies: Record<string, Record<string, unknown>>

beforeAll(async () => {
  service = await startWideService()
  raw = openRaw(service.url)
  const document = (await service.admin.request('GET', '/openapi.json')).body as {
    paths: Record<string, Record<string, { requestBody?: object }>>
  }
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      has_body: requestBody !== undefined,
    })),
  )
  const { id, feature_id, attempt } = await service.admin.create()
  const draft_id = '00000000-0000-4000-8000-00000000000d'
  const note = { question_id: '0'.repeat(16), item_id: '0'.repeat(16) }
  const digest = '0'.repeat(64)
  const key_id = (await service.issue('Robin', 'viewer')).id
  ids = { id, feature_id, workflow_type: 'plan', phase: 'phase_2', draft_id, ...note, digest, base: digest, key_id }
  bodies = validBodies({ attempt_id: attempt?.id, key: service.first_key })
})
afterAll(async () => {
  raw.close()
  await service.close()
})

const headersFor = () => ({
  host: new URL(service.url).host,
  authorization: `Bearer ${service.first_key}`,
  'content-type': 'application/json',
})
const fill = (path: string) => path.replaceAll(/\{(\w+)\}/g, (_, name: string) => ids[name] ?? '')

/** Every row there is. */
function contents(): string {
  const database = new DatabaseSync(`${service.folder}/orchestrator.db`, { readOnly: true })
  const tables = database.prepare(`select name from sqlite_schema where type = 'table' order by name`).all()
  const rows = tables.map(({ name }) => [name, database.prepare(`select * from "${String(name)}"`).all()])
  database.close()
  return JSON.stringify(rows, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))
}

/** Sends each and answers those that were not refused as fields. */
async function accepted(asks: { method: string; path: string; body?: string }[]) {
  const { 'content-type': type, ...headers } = headersFor()
  const answers = await onEach(asks, async ({ method, path, body }) => {
    const length = body === undefined ? {} : { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) }
    const answer = await raw.ask({
      method,
      path,
      headers: { ...headers, ...length },
      ...(body !== undefined && { body }),
    })
    return { method, path, body, ...answer }
  })
  return answers.filter(({ status, text }) => status !== 422 || !text.includes('VALIDATION_ERROR'))
}

describe('a field that a route does not know', () => {
  it('is refused in every body, and nothing is stored', async () => {
    const taking = operations.filter(({ has_body }) => has_body)
    expect(taking.map(({ method, path }) => `${method} ${path}`).toSorted()).toEqual(Object.keys(bodies).toSorted())
    const asks = taking.flatMap(({ method, path }) => {
      const body = bodies[`${method} ${path}`] ?? {}
      const ask = (text: string) => ({ method, path: fill(path), body: text })
      return [
        ...Object.entries(FIELDS)
          .filter(([name]) => !Object.hasOwn(body, name))
          .map(([name, value]) => ask(JSON.stringify({ ...body, [name]: value }))),
        ask(JSON.stringify(body).replace('{', `{${PROTOTYPE},`)),
      ]
    })
    expect(asks.length).toBeGreaterThanOrEqual(120)
    const before = contents()
    expect(await accepted(asks)).toEqual([])
    expect(contents()).toBe(before)
  })

  it('is refused where no body is taken', async () => {
    const asks = operations
      .filter(({ has_body, method }) => !has_body && method !== 'GET')
      .flatMap(({ method, path }) =>
        Object.entries(FIELDS).map(([name, value]) => ({
          method,
          path: fill(path),
          body: JSON.stringify({ [name]: value }),
        })),
      )
    expect(asks.length).toBeGreaterThanOrEqual(70)
    const before = contents()
    expect(await accepted(asks)).toEqual([])
    expect(contents()).toBe(before)
  })

  it('is refused in every query', async () => {
    const known: Record<string, string[]> = { 'GET /workflows': ['status'] }
    const asks = operations.flatMap(({ method, path }) =>
      Object.keys(FIELDS)
        .filter((name) => !known[`${method} ${path}`]?.includes(name))
        .map((name) => {
          const body = bodies[`${method} ${path}`]
          return { method, path: `${fill(path)}?${name}=admin`, ...(body && { body: JSON.stringify(body) }) }
        }),
    )
    expect(asks.length).toBeGreaterThanOrEqual(500)
    const before = contents()
    expect(await accepted(asks)).toEqual([])
    expect(contents()).toBe(before)
  })

  it('is refused in what lies inside a body', async () => {
    const path = `/workflows/${ids['id']}/advance`
    const inside = (comment: object) => ({
      method: 'POST',
      path,
      body: JSON.stringify({ trigger: 'human_approved', phase_result: { comments: [comment] } }),
    })
    const asks = Object.entries(FIELDS).flatMap(([name, value]) => [
      // A comment has an id: of the draft that it was.
      ...(name === 'id' ? [] : [inside({ text: 'Fine', [name]: value })]),
      inside({ text: 'Fine', lines: { start: 1, end: 2, [name]: value } }),
    ])
    expect(asks.length).toBeGreaterThanOrEqual(47)
    const before = contents()
    expect(await accepted(asks)).toEqual([])
    expect(contents()).toBe(before)
  })
})

describe('the actor', () => {
  it('comes from the key, whatever the body claims', async () => {
    const { client } = await service.issue('Ana', 'reviewer')
    const { id } = await service.admin.create()
    await service.admin.advance(id, 'agent_complete')
    const claims = { approved_by: 'admin', actor: 'admin', role: 'admin' }
    expect((await client.advance(id, 'human_approved', claims)).status).toBe(200)
    const [last] = (await service.admin.history(id)).slice(-1)
    expect(last).toMatchObject({ trigger: 'human_approved', actor: 'Ana' })
  })
})
