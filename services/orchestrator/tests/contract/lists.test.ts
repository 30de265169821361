import type { Workflow } from '@orchestrator/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { startService } from '../service.ts'

const service = await startService()
afterAll(() => service.close())

const DESCRIPTIONS = [
  '100% of orders are shipped within a day',
  'Rename snake_case columns everywhere',
  'A back\\slash in the path must not matter',
  'Größere Schriften für ältere Menschen',
  '添加用户认证功能并支持单点登录',
  'Emoji 🚀 in every single message',
  'Plain login for everybody, please',
]
const created: Workflow[] = []
beforeAll(async () => {
  for (const feature_description of DESCRIPTIONS) created.push(await service.create({ feature_description }))
  for (let i = 0; i < 13; i++)
    created.push(
      await service.create({ workflow_type: 'plan', feature_description: `Padding number ${i} of thirteen` }),
    )
  await service.request('POST', `/workflows/${created[0]?.id}/cancel`)
  await service.advance(created[1]?.id ?? '', 'agent_complete')
})

const list = async (query: string) => (await service.request('GET', `/workflows?${query}`)).body
const idsOf = (items: { id: string }[]) => items.map(({ id }) => id)

/** All pages, one after the other. */
async function walk(path: string, query: string): Promise<{ ids: string[]; pages: number }> {
  const ids: string[] = []
  let cursor = ''
  let pages = 0
  do {
    const { body } = await service.request('GET', `${path}?${query}${cursor}`)
    ids.push(...idsOf(body.items))
    cursor = body.next_cursor === null ? '' : `&cursor=${body.next_cursor}`
    pages++
  } while (cursor !== '')
  return { ids, pages }
}

describe('GET /workflows', () => {
  it('has the newest first', async () => {
    const { items, next_cursor } = await list('')
    expect(idsOf(items)).toEqual(idsOf(created.toReversed()))
    expect(next_cursor).toBeNull()
  })

  it.each([
    ['limit=1', 20],
    ['limit=7', 3],
    ['limit=20', 1],
    ['limit=200', 1],
  ])('pages by cursor with %s: everything once, in %i pages', async (query, expected) => {
    const { ids, pages } = await walk('/workflows', query)
    expect(ids).toEqual(idsOf(created.toReversed()))
    expect(pages).toBe(expected)
  })

  it('is not disturbed by what comes while it is paged', async () => {
    const { items, next_cursor } = await list('limit=5&workflow_type=plan')
    const { id } = await service.create({ feature_description: 'Something that came in between' })
    const rest = await list(`limit=200&workflow_type=plan&cursor=${next_cursor}`)
    await service.request('POST', `/workflows/${id}/cancel`)
    const planned = created.filter(({ workflow_type }) => workflow_type === 'plan').toReversed()
    expect([...idsOf(items), ...idsOf(rest.items)]).toEqual(idsOf(planned))
  })

  it('filters by status, type and feature, and by all at once', async () => {
    expect(idsOf((await list('status=waiting_approval')).items)).toEqual([created[1]?.id])
    expect(idsOf((await list('status=failed')).items)).toContain(created[0]?.id)
    expect((await list('workflow_type=plan&limit=200')).items).toHaveLength(13)
    const [{ feature_id, id } = { feature_id: '', id: '' }] = created.slice(3)
    expect(idsOf((await list(`feature_id=${feature_id}`)).items)).toEqual([id])
    expect(idsOf((await list(`feature_id=${feature_id}&status=in_progress&workflow_type=specify`)).items)).toEqual([id])
    expect((await list(`feature_id=${feature_id}&status=completed`)).items).toEqual([])
  })

  it.each([
    ['100%', [0]],
    ['0%', [0]],
    ['%', [0]],
    ['snake_case', [1]],
    ['snakeXcase', []],
    ['back\\slash', [2]],
    ['\\', [2]],
    ['Größere', [3]],
    ['用户认证', [4]],
    ['🚀', [5]],
    ['PLAIN LOGIN', [6]],
    ['plain-login', [6]],
    ["' or 1=1 --", []],
  ])('finds q=%s by the letter', async (q, found) => {
    const { items } = await list(`q=${encodeURIComponent(q)}`)
    expect(idsOf(items).toSorted()).toEqual(found.map((i) => created[i]?.id ?? '').toSorted())
  })

  it.each([
    ['status=done', 'VALIDATION_ERROR', 'status'],
    ['workflow_type=deploy', 'INVALID_WORKFLOW_TYPE', 'workflow_type'],
    ['feature_id=x', 'VALIDATION_ERROR', 'feature_id'],
    ['q=', 'VALIDATION_ERROR', 'q'],
    [`q=${'x'.repeat(201)}`, 'VALIDATION_ERROR', 'q'],
    ['limit=0', 'VALIDATION_ERROR', 'limit'],
    ['limit=201', 'VALIDATION_ERROR', 'limit'],
    ['limit=1e2', 'VALIDATION_ERROR', 'limit'],
    ['limit=-1', 'VALIDATION_ERROR', 'limit'],
    ['cursor=abc', 'VALIDATION_ERROR', 'cursor'],
    ['cursor=-1', 'VALIDATION_ERROR', 'cursor'],
    ['limit=1&limit=2', 'VALIDATION_ERROR', 'limit'],
    ['offset=3', 'VALIDATION_ERROR', 'offset'],
  ])('refuses ?%s as %s', async (query, code, field) => {
    const answer = await service.request('GET', `/workflows?${query}`)
    expect(answer.body.error).toMatchObject({ code, details: [{ field }] })
  })
})

describe('GET /features', () => {
  it('pages by cursor, newest first', async () => {
    const { ids } = await walk('/features', 'limit=6')
    expect(ids.filter((id) => created.some(({ feature_id }) => feature_id === id))).toEqual(
      created.toReversed().map(({ feature_id }) => feature_id),
    )
    expect(new Set(ids).size).toBe(ids.length)
  })

  it.each(['limit=0', 'limit=x', 'cursor=x', 'q=x'])('refuses ?%s', async (query) => {
    expect((await service.request('GET', `/features?${query}`)).status).toBe(422)
  })
})

describe('GET /workflows/{id}/history', () => {
  it('pages by cursor, oldest first', async () => {
    const { id } = await service.create({ feature_description: 'One with a longer history' })
    for (let i = 0; i < 4; i++) {
      await service.advance(id, 'agent_complete')
      await service.advance(id, 'human_rejected', { comments: `Again, for the time ${i}` })
    }
    const all = idsOf(await service.history(id))
    expect(all).toHaveLength(9)
    const { ids, pages } = await walk(`/workflows/${id}/history`, 'limit=4')
    expect({ ids, pages }).toEqual({ ids: all, pages: 3 })
    await service.request('POST', `/workflows/${id}/cancel`)
  })
})
