import { setTimeout } from 'node:timers/promises'

import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'

import { openDatabases } from '../databases.ts'
import { freePort } from '../free-port.ts'
import {
  drop,
  hang,
  refuse,
  refuseUnderDetail,
  say,
  stall,
  startPlainHub,
  type Behaviour,
  type PlainHub,
} from '../plain-hub.ts'
import { startService, type Service } from '../service.ts'

const databases = await openDatabases()
afterAll(() => databases.stop())

const PASSING: [string, Behaviour, string][] = [
  ['500', refuse(500, 'INTERNAL_ERROR', 'The hub stumbled.'), 'The hub stumbled.'],
  ['503', refuse(503, 'UNAVAILABLE', 'The hub is starting.'), 'The hub is starting.'],
  ['504', refuse(504, 'AGENT_TIMEOUT', 'The agent was silent.'), 'The agent was silent.'],
  ['500 without a word', say('<html>Internal Server Error</html>', 500), 'answered 500, but not like an Agent Hub'],
  ['a page that says 404', say('<html>Not Found</html>', 404), 'answered 404, but not like an Agent Hub'],
  ['a redirect', say('', 302), 'answered 302, but not like an Agent Hub'],
  ['400 without a word', say('', 400), 'answered 400, but not like an Agent Hub'],
  ['nonsense', say('<html>hello</html>'), 'not JSON'],
  ['JSON of another kind', say('{"ok":true}'), 'cannot be understood'],
  ['an impossible confidence', say('{"success":true,"confidence":900}'), 'confidence'],
  ['half an answer', drop, 'broke off'],
]

const FOR_GOOD: [string, Behaviour, string][] = [
  ['400', refuse(400, 'VALIDATION_ERROR', 'The context is wrong.'), 'The context is wrong.'],
  ['404', refuse(404, 'AGENT_NOT_FOUND', 'There is no agent x.'), 'There is no agent x.'],
  ['404 under detail', refuseUnderDetail(404, 'AGENT_NOT_FOUND', 'There is no agent x.'), 'There is no agent x.'],
  ['422', refuse(422, 'IDEMPOTENCY_MISMATCH', 'Another body.'), 'Another body.'],
  ['503 for good', refuse(503, 'AGENT_UNAVAILABLE', 'Install it first.'), 'Install it first.'],
  ['a failure without a word', say('{"success":false}'), 'could not do it and gave no reason. See the log of the hub'],
  ['401', refuse(401, 'UNAUTHORIZED', 'No key.'), 'AGENT_HUB_TOKEN'],
  ['403', refuse(403, 'FORBIDDEN', 'Not you.'), 'AGENT_HUB_TOKEN'],
  ['421', refuse(421, 'MISDIRECTED_HOST', 'Not my name.'), 'Not my name. Add that name to ALLOWED_HOSTS of the hub'],
  ['421 without a word', say('', 421), 'AGENT_HUB_URL'],
]

describe.each(databases.lasting)('with $title', ({ create, isMissing }) => {
  describe.skipIf(isMissing)('a phase whose hub is at fault', () => {
    let hub: PlainHub
    let service: Service
    let DATABASE_URL: string
    const begin = async (env: Record<string, string> = {}) => {
      service = await startService({ hub: hub.url, env: { DATABASE_URL, ...env } })
    }

    beforeEach(async () => {
      hub = await startPlainHub()
      DATABASE_URL = await create()
    })
    afterEach(async () => {
      await service.close()
      await hub.close()
    })

    it.each(PASSING)('waits and recovers after %s, with the reason in sight', async (_what, behaviour, reason) => {
      await begin({ PHASE_RETRY_BASE_MS: '200' })
      hub.next(behaviour)
      const { id, attempt } = await service.create()
      const waiting = await service.untilBackingOff(id)
      expect(waiting.reason).toContain(reason)
      expect(waiting.next_retry_at).not.toBeNull()
      await service.until(id, 'waiting_approval')
      expect((await service.history(id)).map(({ trigger }) => trigger)).toEqual(['start', 'agent_complete'])
      expect(hub.received.map(({ key }) => key)).toEqual([attempt?.id, attempt?.id])
      expect((await service.attempts(id)).map(({ number, tries, reason: left }) => ({ number, tries, left }))).toEqual([
        { number: 1, tries: 2, left: null },
      ])
    })

    it('fails with a sentence after PHASE_RETRY_LIMIT tries', async () => {
      await begin({ PHASE_RETRY_LIMIT: '3' })
      hub.usual = refuse(500, 'INTERNAL_ERROR', 'The hub stumbled.')
      const { id } = await service.create()
      const { error } = await service.until(id, 'failed')
      expect(error).toBe(
        'Gave up after 3 tries. The Agent Hub refused the work: The hub stumbled. Once the hub works again (see its log), retry the workflow with POST /workflows/{id}/retry.',
      )
      expect(hub.received).toHaveLength(3)
    })

    it('says what to do when there is no hub at all, and goes on when there is one', async () => {
      await hub.close()
      const port = await freePort()
      await begin({ AGENT_HUB_URL: `http://127.0.0.1:${port}`, PHASE_RETRY_BASE_MS: '100' })
      const { id } = await service.create()
      const { reason } = await service.untilBackingOff(id)
      expect(reason).toContain(`The Agent Hub at http://127.0.0.1:${port} cannot be reached (ECONNREFUSED)`)
      expect(reason).toContain('AGENT_HUB_URL')
      const health = await service.request('GET', '/health')
      expect([health.status, health.body.status]).toEqual([200, 'degraded'])
      hub = await startPlainHub(port)
      await service.until(id, 'waiting_approval')
    })

    it.each(FOR_GOOD)('fails at once on %s', async (_what, behaviour, reason) => {
      await begin()
      hub.usual = behaviour
      const { id } = await service.create()
      const { error } = await service.until(id, 'failed')
      expect(error).toContain(reason)
      expect(error).toMatch(/ retry the workflow with POST \/workflows\/\{id\}\/retry\.$/)
      expect(hub.received).toHaveLength(1)
    })

    it('fails what is still waiting for another try when the time is up', async () => {
      await begin({ PHASE_TIMEOUT_SECONDS: '1', PHASE_RETRY_BASE_MS: '60000' })
      hub.usual = refuse(500, 'INTERNAL_ERROR', 'The hub stumbled.')
      const { id } = await service.create()
      const { error } = await service.until(id, 'failed')
      expect(error).toContain('PHASE_TIMEOUT_SECONDS')
      expect(hub.received).toHaveLength(1)
    })

    it('fails what a plain hub began to answer and did not end when the time is up', async () => {
      await begin({ PHASE_TIMEOUT_SECONDS: '1' })
      hub.usual = stall
      const { id } = await service.create()
      const { error } = await service.until(id, 'failed')
      expect(error).toContain('PHASE_TIMEOUT_SECONDS')
      await expect.poll(() => hub.received.map(({ gone }) => gone), { timeout: 10_000 }).toEqual([true])
    })

    it('takes no new try after a cancel', async () => {
      await begin({ PHASE_RETRY_BASE_MS: '2000' })
      hub.usual = refuse(500, 'INTERNAL_ERROR', 'The hub stumbled.')
      const { id } = await service.create()
      const { next_retry_at } = await service.untilBackingOff(id)
      const before = hub.received.length
      const { body } = await service.request('POST', `/workflows/${id}/cancel`)
      expect(body).toMatchObject({ status: 'failed', attempt: { state: 'cancelled', next_retry_at: null } })
      // The moment of the try that must not come.
      await setTimeout(Date.parse(next_retry_at ?? '') + 100 - Date.now())
      hub.usual = hang
      const other = await service.create()
      await expect.poll(() => hub.received.at(-1)?.body.parameters['workflow_id']).toBe(other.id)
      expect(hub.received).toHaveLength(before + 1)
    })

    it('asks by the key again when the hub has lost what it had taken on', async () => {
      await begin({ PHASE_RETRY_BASE_MS: '200' })
      const times = { created_at: '2026-01-31T12:00:00.000Z', started_at: null, finished_at: null }
      const taken_on = { id: crypto.randomUUID(), agent: 'forgetful', status: 'queued', response: null, ...times }
      hub.next(say(JSON.stringify(taken_on), 202))
      const { id, attempt } = await service.create()
      expect((await service.untilBackingOff(id)).reason).toContain('forgot the work')
      await service.until(id, 'waiting_approval')
      expect(hub.received.map(({ key }) => key)).toEqual([attempt?.id, attempt?.id])
    })

    it('leaves an attempt stored when it is stopped while that waits, and goes on with the same key', async () => {
      await begin({ PHASE_RETRY_BASE_MS: '60000' })
      hub.next(refuse(500, 'INTERNAL_ERROR', 'The hub stumbled.'))
      const { id, attempt } = await service.create()
      await service.untilBackingOff(id)
      await service.stop()
      service = await startService({ hub: hub.url, folder: service.folder, env: { DATABASE_URL } })
      await service.until(id, 'waiting_approval')
      expect(hub.received.map(({ key }) => key)).toEqual([attempt?.id, attempt?.id])
      expect(await service.attempts(id)).toHaveLength(1)
    })
  })
})
