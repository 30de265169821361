import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import {
  askResponseSchema,
  escalationPageSchema,
  escalationSchema,
  exchangePageSchema,
  hubSessionSchema,
  type AskResponse,
} from '@orchestrator/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { makeRepository, temporaryFolder, userGit } from '../git-fixture.ts'
import { specify, startHubProcess, STUB, type HubProcess } from '../hub-process.ts'

const folder = temporaryFolder()
const repository = join(folder.path, 'shop')
let hub: HubProcess

beforeAll(async () => {
  makeRepository(repository)
  hub = await startHubProcess({ folder: folder.path, env: { WORKSPACE: repository, AGENT_NAME: STUB } })
})
afterAll(async () => {
  await hub.stop()
  await folder.remove()
})

async function post(path: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  const response = await hub.fetch(path, { method: 'POST', headers, body: JSON.stringify(body) })
  return response.json()
}
const get = async (path: string): Promise<unknown> => (await hub.fetch(path)).json()

/** Lines for the stub, see stub-agent.ts. */
async function ask(said: string[], feature_id: string, more: object = {}): Promise<AskResponse> {
  const question = ['Which database?', ...said.map((line) => `stub: ${line}`)].join('\n')
  return askResponseSchema.parse(await post('/ask/architecture', { question, feature_id, ...more }))
}

describe('a question', () => {
  it('of which the agent is sure is resolved', async () => {
    const answer = await ask(['say Because it is there.', 'submit 90'], '001-sure')
    expect(answer).toMatchObject({
      answer: 'Handed in, Turn 1',
      confidence: 90,
      status: 'resolved',
      escalation_id: null,
    })
    expect(answer.rationale).toContain('Because it is there.')
  })

  it('changes nothing, whatever the agent writes', async () => {
    await hub.finish((await hub.start(STUB, specify([], { feature_id: '002-still' }))).id)
    const before = userGit(repository, 'rev-parse', '002-still')
    await ask(['write planted.txt x', 'write specs/002-still/spec.md x', 'submit 90'], '002-still')
    await hub.finish((await hub.start(STUB, specify(['write a.md a'], { feature_id: '002-still' }))).id)
    expect(userGit(repository, 'diff', '--name-only', before, '002-still')).not.toContain('planted.txt')
  })

  it('goes on in the session that it names', async () => {
    const first = await ask(['submit 90'], '003-again')
    const second = await ask(['submit 90'], '003-again', { session_id: first.session_id })
    expect(second).toMatchObject({ session_id: first.session_id, answer: 'Handed in, Turn 2' })
  })

  it('waits for other work on the same feature', async () => {
    const { id } = await hub.start(STUB, specify(['sleep 700', 'write a.md a'], { feature_id: '004-lane' }))
    const answer = await ask(['submit 90'], '004-lane')
    expect(answer.status).toBe('resolved')
    expect((await hub.get(id)).status).toBe('succeeded')
  })
})

describe('an escalation', () => {
  it('is opened when the agent is not sure, and listed until it is resolved', async () => {
    const answer = await ask(['submit 40'], '010-unsure')
    expect(answer).toMatchObject({ status: 'pending_human', confidence: 40 })
    const listed = escalationPageSchema.parse(await get('/escalations?status=pending&feature_id=010-unsure'))
    expect(listed.items).toMatchObject([{ id: answer.escalation_id, topic: 'architecture', action: null }])

    const confirmed = escalationSchema.parse(await post(`/escalations/${answer.escalation_id!}`, { action: 'confirm' }))
    expect(confirmed).toMatchObject({ status: 'resolved', action: 'confirm', confidence: 100, acted_by: 'local' })
    expect(await get('/escalations?status=pending&feature_id=010-unsure')).toEqual({ items: [], next_cursor: null })
    expect(await get(`/escalations/${answer.escalation_id!}`)).toEqual(confirmed)
  })

  it('takes the answer of a person instead', async () => {
    const { escalation_id } = await ask(['submit 10'], '011-wrong')
    const corrected = await post(`/escalations/${escalation_id!}`, { action: 'correct', response: 'PostgreSQL 18' })
    expect(corrected).toMatchObject({ status: 'resolved', action: 'correct', answer: 'PostgreSQL 18' })
  })

  it('asks again in the same session with what a person adds, and stays open while that is not enough', async () => {
    const { escalation_id, session_id } = await ask(['submit 20'], '012-context')
    const still = await post(`/escalations/${escalation_id!}`, { action: 'add_context', response: 'It is small.' })
    expect(still).toMatchObject({ status: 'pending', action: 'add_context', note: 'It is small.', session_id })
    const now = await post(`/escalations/${escalation_id!}`, {
      action: 'add_context',
      response: 'We have one already.\nstub: submit 95',
    })
    expect(now).toMatchObject({ status: 'resolved', confidence: 95, answer: expect.stringContaining('Turn 3') })
  })

  it('is resolved once, however many act at the same moment', async () => {
    const { escalation_id } = await ask(['submit 10'], '013-race')
    const answers = await Promise.all(
      ['a', 'b', 'c', 'd'].map((response) => post(`/escalations/${escalation_id!}`, { action: 'correct', response })),
    )
    expect(answers.filter((answer) => Object.hasOwn(answer as object, 'error'))).toHaveLength(3)
  })
})

describe('a session', () => {
  it('is begun, used, and ended with its agent and its HOME', async () => {
    const session = hubSessionSchema.parse(await post('/sessions', { feature_id: '020-session' }))
    expect(session.agent).toBe(STUB)
    const answer = await ask(['submit 90'], '020-session', { session_id: session.id })
    expect(answer.session_id).toBe(session.id)
    const home = join(folder.path, 'data/homes', session.id)
    expect(existsSync(home)).toBe(true)
    const used = hubSessionSchema.parse(await get(`/sessions/${session.id}`))
    expect(used.updated_at > session.created_at).toBe(true)

    expect((await hub.fetch(`/sessions/${session.id}`, { method: 'DELETE' })).status).toBe(204)
    expect(existsSync(home)).toBe(false)
    expect((await hub.fetch(`/sessions/${session.id}`)).status).toBe(404)
  })

  it('is not ended while it works', async () => {
    const session = hubSessionSchema.parse(await post('/sessions', { feature_id: '021-busy' }))
    const go = join(folder.path, 'go')
    const answering = ask([`await ${go}`, 'submit 90'], '021-busy', { session_id: session.id })
    await expect.poll(async () => (await hub.fetch('/metrics')).text()).toMatch(/^hub_running 1$/m)
    expect((await hub.fetch(`/sessions/${session.id}`, { method: 'DELETE' })).status).toBe(409)
    writeFileSync(go, '')
    expect((await answering).status).toBe('resolved')
  })
})

describe('the audit log', () => {
  it('holds every turn, by feature and in pages', async () => {
    const { id } = await hub.start(STUB, specify([], { feature_id: '030-audit' }))
    const response = await hub.finish(id)
    await ask(['submit 90'], '030-audit', { session_id: response.result!.data!.session_id! })
    const whole = exchangePageSchema.parse(await get('/exchanges?feature_id=030-audit'))
    // The turn, the one that mends, and the question.
    expect(whole.items.map(({ kind, invocation_id, topic }) => [kind, invocation_id, topic])).toEqual([
      ['invoke', id, null],
      ['invoke', id, null],
      ['ask', null, 'architecture'],
    ])
    expect(new Set(whole.items.map(({ prompt_digest }) => prompt_digest)).size).toBe(3)
    expect(whole.items.every(({ outcome, agent }) => outcome === 'ended' && agent === STUB)).toBe(true)

    const first = exchangePageSchema.parse(await get('/exchanges?feature_id=030-audit&limit=2'))
    const rest = exchangePageSchema.parse(
      await get(`/exchanges?feature_id=030-audit&limit=2&cursor=${first.next_cursor!}`),
    )
    expect([...first.items, ...rest.items]).toEqual(whole.items)
    expect(rest.next_cursor).toBeNull()
  })

  it('tells of turns that failed too', async () => {
    await hub.finish((await hub.start(STUB, specify(['crash'], { feature_id: '031-crash' }))).id)
    expect(await get('/exchanges?feature_id=031-crash')).toMatchObject({
      items: [{ outcome: 'failed', answer_digest: null }],
    })
  })
})
