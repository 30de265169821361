import { verifyExport } from '@orchestrator/audit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { leave } from '../../services/orchestrator/tests/artifacts.ts'
import { startPlainHub } from '../../services/orchestrator/tests/plain-hub.ts'
import { clientOf, startService } from '../../services/orchestrator/tests/service.ts'
import { startWideService, type WideService } from './wide-service.ts'

const SECRET = 'Kim wrote that the flamingo must leave'
let service: WideService

beforeAll(async () => {
  service = await startWideService({ FOUR_EYES: 'off' })
})
afterAll(() => service.close())

const exported = async () => {
  const { text } = await service.admin.request('GET', '/audit/export')
  async function* chunks() {
    yield text
  }
  return { text, report: await verifyExport(chunks()) }
}

describe('what a person wrote', () => {
  it('is gone everywhere once it is erased, and every chain still holds', async () => {
    const kim = await service.issue('Kim', 'reviewer')
    const robin = await service.issue('Robin', 'reviewer')
    const [rejected, stopped, approved, others] = await Promise.all([1, 2, 3, 4].map(() => service.admin.create()))
    for (const workflow of [rejected, stopped, approved, others])
      await service.admin.advance(workflow?.id ?? '', 'agent_complete', { output: 'Done.' })
    await kim.client.advance(rejected?.id ?? '', 'human_rejected', { comments: SECRET })
    await kim.client.advance(stopped?.id ?? '', 'human_rejected', { abort: true, comments: SECRET })
    await kim.client.advance(approved?.id ?? '', 'human_approved', { comments: [{ text: SECRET }] })
    await robin.client.advance(others?.id ?? '', 'human_rejected', { comments: 'Robin says something else.' })
    for (const workflow of [rejected, approved])
      await service.admin.advance(workflow?.id ?? '', 'agent_complete', { output: 'Done.' })
    const before = await exported()
    expect(before.text).toContain(SECRET)
    expect(before.report).toMatchObject({ fault: null, erased: 0 })

    const early = await service.admin.request('POST', '/audit/erase', { name: 'Kim' })
    expect([early.status, early.body.error.details[0].message]).toEqual([
      422,
      expect.stringContaining('revoke those of Kim'),
    ])
    await service.admin.request('POST', `/keys/${kim.id}/revoke`)
    const { status, body } = await service.admin.request('POST', '/audit/erase', { name: 'Kim' })
    expect([status, body]).toMatchObject([
      200,
      { pseudonym: expect.stringMatching(/^erased-[0-9a-f]{8}$/), history_rows: 3, comments: 3, answers: 0 },
    ])

    const after = await exported()
    expect(after.text).not.toContain(SECRET)
    expect(after.text).toContain('Robin says something else.')
    expect(after.report).toMatchObject({ fault: null, erased: 3, rows: before.report.rows })
    const shown = await Promise.all(
      [rejected, stopped, approved].flatMap((workflow) =>
        ['', '/history', '/attempts'].map((more) => service.admin.request('GET', `/workflows/${workflow?.id}${more}`)),
      ),
    )
    expect(shown.map(({ text }) => text).join()).not.toContain(SECRET)
    expect((await service.admin.get(stopped?.id ?? '')).error).toBe('What was said here was erased.')
    const keys = (await service.admin.request('GET', '/keys')).body.items as { id: string; name: string }[]
    expect(keys.find(({ id }) => id === kim.id)?.name).toBe(body.pseudonym)
    const [act] = (await service.admin.request('GET', '/audit/acts')).body.items
    expect(act).toMatchObject({ action: 'words.erased', subject: body.pseudonym, actor: 'admin' })
    // The file itself is not asked: SQLite overwrites a page when it needs it, and backups keep theirs.
  })

  it('is gone as well from the verdict of somebody else that took an answer along', async () => {
    const hub = await startPlainHub()
    hub.usual = leave(hub, { 'specs/001-x/spec.md': '# X\n\n- **FR-001**: [NEEDS CLARIFICATION: By whom?]\n' })
    const answered = await startService({ hub: hub.url, env: { HOST: '0.0.0.0', FOUR_EYES: 'off' } })
    const admin = clientOf(answered.url.replace('0.0.0.0', '127.0.0.1'), answered.first_key)
    const [kim, robin] = await Promise.all(
      ['Kim', 'Robin'].map(async (name) => {
        const { body } = await admin.request('POST', '/keys', { name, role: 'reviewer' })
        return { id: body.id as string, ...clientOf(admin.url, body.key) }
      }),
    )
    const { id } = await admin.create()
    await admin.until(id, 'waiting_approval')
    const [question] = (await admin.request('GET', `/workflows/${id}/questions`)).body.items
    await kim?.request('PUT', `/workflows/${id}/questions/${question.id}`, { answer: SECRET })
    await robin?.advance(id, 'human_approved')
    await admin.until(id, 'waiting_approval')
    const history = async () => (await admin.request('GET', `/workflows/${id}/history`)).text
    expect(await history()).toContain(SECRET)
    await admin.request('POST', `/keys/${kim?.id}/revoke`)
    expect((await admin.request('POST', '/audit/erase', { name: 'Kim' })).body).toMatchObject({
      history_rows: 1,
      answers: 1,
    })
    expect(await history()).not.toContain(SECRET)
    expect((await admin.request('GET', `/workflows/${id}/attempts`)).text).not.toContain(SECRET)
    const { text } = await admin.request('GET', '/audit/export')
    async function* chunks() {
      yield text
    }
    expect(text).not.toContain(SECRET)
    expect(await verifyExport(chunks())).toMatchObject({ fault: null, erased: 1 })
    await answered.close()
    await hub.close()
  })

  it('can be looked for in vain', async () => {
    expect((await service.admin.request('POST', '/audit/erase', { name: 'Nobody' })).body).toMatchObject({
      history_rows: 0,
    })
  })
})
