import { ROLES, workflowSchema, type Role } from '@orchestrator/contract'
import { afterAll, describe, expect, it } from 'vitest'

import { openDatabases } from '../../services/orchestrator/tests/databases.ts'
import type { Answer, Client } from '../../services/orchestrator/tests/service.ts'
import { onEach, startWideService, type WideService } from './wide-service.ts'

const databases = await openDatabases()
afterAll(() => databases.stop())

const told = ({ status, body }: Answer) => [status, body?.error?.code].filter((word) => word !== undefined).join(' ')
const approvalsOf = ({ body }: Answer) => workflowSchema.parse(body).approvals

interface Team {
  service: WideService
  /** Everybody holds one key of every role. */
  robin: Record<Role, Client>
  kim: Record<Role, Client>
  ana: Record<Role, Client>
}

async function gather(env: Record<string, string>): Promise<Team> {
  const service = await startWideService(env)
  const person = async (name: string) => {
    const made = await Promise.all(ROLES.map(async (role) => [role, (await service.issue(name, role)).client] as const))
    return Object.fromEntries(made) as Record<Role, Client>
  }
  return { service, robin: await person('Robin'), kim: await person('Kim'), ana: await person('Ana') }
}

/** Robin's, waiting for a review. */
async function waiting({ service, robin }: Team) {
  const { id } = await robin.submitter.create()
  expect((await service.admin.advance(id, 'agent_complete')).status).toBe(200)
  return id
}

const setPolicy = (team: Team, policy: object) =>
  team.service.admin.request('PUT', '/approval-policies/specify/phase_1', {
    minimum_approvals: 1,
    required_roles: [],
    four_eyes: null,
    ...policy,
  })

describe('four eyes', () => {
  it('role × verdict × own or another’s × setting × override: every cell is as published', async () => {
    const cells = (['auto', 'on', 'off'] as const).flatMap((setting) =>
      ROLES.flatMap((role) =>
        (['human_approved', 'human_rejected'] as const).flatMap((trigger) =>
          (['own', "another's"] as const).flatMap((owner) =>
            [false, true].map((overrides) => ({ setting, role, trigger, owner, overrides })),
          ),
        ),
      ),
    )
    const promised = ({ setting, role, trigger, owner, overrides }: (typeof cells)[number]) => {
      const approves = trigger === 'human_approved'
      if (role !== 'reviewer' && role !== 'admin') return '403 FORBIDDEN'
      if (approves && overrides) return role === 'admin' ? '200' : '403 FORBIDDEN'
      return approves && owner === 'own' && setting !== 'off' ? '403 FORBIDDEN' : '200'
    }
    const answers: { cell: object; answer: string; expected: string }[] = []
    for (const setting of ['auto', 'on', 'off'] as const) {
      const team = await gather({ FOUR_EYES: setting })
      answers.push(
        ...(await onEach(
          cells.filter((cell) => cell.setting === setting),
          async (cell) => {
            const id = await waiting(team)
            const who = (cell.owner === 'own' ? team.robin : team.kim)[cell.role]
            const answer = await who.advance(
              id,
              cell.trigger,
              cell.overrides ? { override_reason: 'Friday night.' } : {},
            )
            return { cell, answer: told(answer), expected: promised(cell) }
          },
        )),
      )
      await team.service.close()
    }
    expect(answers).toHaveLength(120)
    expect(answers.filter(({ answer, expected }) => answer !== expected)).toEqual([])
    expect(answers.filter(({ expected }) => expected === '200').length).toBe(38)
  })

  it('begin with the second person who could approve, and end with the last but one', async () => {
    const service = await startWideService()
    const own = async () => {
      const { id } = await service.admin.create()
      await service.admin.advance(id, 'agent_complete')
      return told(await service.admin.advance(id, 'human_approved'))
    }
    expect(await own()).toBe('200')
    await service.issue('Robin', 'viewer')
    await service.issue('machine', 'hub')
    expect(await own()).toBe('200')
    const robin = await service.issue('Robin', 'reviewer')
    expect(await own()).toBe('403 FORBIDDEN')
    await service.admin.request('POST', `/keys/${robin.id}/revoke`)
    expect(await own()).toBe('200')
    await service.close()
  })

  it('never stand in the way of who works without a key, unless somebody asked for them', async () => {
    const service = await startWideService({ HOST: '127.0.0.1' })
    for (const name of ['Robin', 'Kim']) {
      expect((await service.request('POST', '/keys', { name, role: 'reviewer' })).status).toBe(201)
    }
    const own = async () => {
      const { id } = await service.create()
      await service.advance(id, 'agent_complete')
      return told(await service.advance(id, 'human_approved'))
    }
    expect(await own()).toBe('200')
    const policy = { minimum_approvals: 1, required_roles: [], four_eyes: true }
    expect((await service.request('PUT', '/approval-policies/specify/phase_1', policy)).status).toBe(200)
    expect(await own()).toBe('403 FORBIDDEN')
    await service.close()
  })
})

describe.each(databases.lasting)('approvals on $title', ({ create, isMissing }) => {
  it.skipIf(isMissing)('are counted one by one, shown, and decide when they suffice', async () => {
    const team = await gather({ DATABASE_URL: await create() })
    expect((await setPolicy(team, { minimum_approvals: 2, required_roles: ['admin'] })).status).toBe(200)
    const id = await waiting(team)
    expect((await team.service.get(id)).approvals).toEqual({
      required: 2,
      given: [],
      missing_roles: ['admin'],
      four_eyes: true,
    })

    const first = await team.kim.reviewer.advance(id, 'human_approved', { approved: true, comments: 'Fine so far.' })
    expect(first.status).toBe(200)
    expect(first.body).toMatchObject({ status: 'waiting_approval', current_phase: 'phase_1' })
    expect(approvalsOf(first)).toMatchObject({ given: [{ actor: 'Kim', role: 'reviewer' }], missing_roles: ['admin'] })
    // A second key is no second person.
    expect(told(await team.kim.admin.advance(id, 'human_approved'))).toBe('409 ALREADY_APPROVED')
    expect(told(await team.robin.admin.advance(id, 'human_approved'))).toBe('403 FORBIDDEN')

    const last = await team.ana.admin.advance(id, 'human_approved', { comments: 'Go on.' })
    expect(last.body).toMatchObject({ status: 'in_progress', current_phase: 'phase_2' })
    expect(approvalsOf(last)).toBeUndefined()
    const history = await team.service.history(id)
    expect(history.map(({ actor, trigger, to_status }) => [actor, trigger, to_status]).slice(2)).toEqual([
      ['Kim', 'human_approved', 'waiting_approval'],
      ['Ana', 'human_approved', 'in_progress'],
    ])
    const [attempt] = await team.service.attempts(id)
    expect(attempt?.review).toMatchObject({ verdict: 'approved', actor: 'Ana' })
    expect(attempt?.review?.threads.map(({ text }) => text)).toEqual(['Fine so far.', 'Go on.'])
    await team.service.close()
  })

  it.skipIf(isMissing)('of many at once are all counted, and decide once', async () => {
    const team = await gather({ DATABASE_URL: await create() })
    const people = await Promise.all(
      Array.from({ length: 6 }, async (_, n) => (await team.service.issue(`Person ${n}`, 'reviewer')).client),
    )
    await setPolicy(team, { minimum_approvals: 4 })
    const id = await waiting(team)
    const answers = await Promise.all(
      people.flatMap((one) => [one.advance(id, 'human_approved'), one.advance(id, 'human_approved')]),
    )
    const history = await team.service.history(id)
    const votes = history.filter(({ trigger }) => trigger === 'human_approved')
    expect(votes.map(({ to_status }) => to_status)).toEqual([
      'waiting_approval',
      'waiting_approval',
      'waiting_approval',
      'in_progress',
    ])
    expect(new Set(votes.map(({ actor }) => actor)).size).toBe(4)
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(4)
    await team.service.close()
  })

  it.skipIf(isMissing)('are of one attempt: a rework begins anew, and what was seen before is stale', async () => {
    const team = await gather({ DATABASE_URL: await create() })
    await setPolicy(team, { minimum_approvals: 2 })
    const id = await waiting(team)
    const digest = (await team.service.get(id)).attempt?.digest
    expect((await team.kim.reviewer.advance(id, 'human_approved', { comments: 'Yes.' })).status).toBe(200)
    expect((await team.ana.reviewer.advance(id, 'human_rejected', { comments: 'No.' })).status).toBe(200)
    expect((await team.service.attempts(id))[0]?.review?.threads.map(({ text }) => text)).toEqual(['Yes.', 'No.'])
    await team.service.admin.advance(id, 'agent_complete', { output: 'another' })
    expect(told(await team.kim.reviewer.advance(id, 'human_approved', { digest }))).toBe('409 STALE_REVIEW')
    expect((await team.service.get(id)).approvals).toMatchObject({ given: [] })
    await team.service.close()
  })

  it.skipIf(isMissing)('are overridden by an admin with a reason, which the history marks', async () => {
    const team = await gather({ DATABASE_URL: await create() })
    await setPolicy(team, { minimum_approvals: 3, four_eyes: true })
    const id = await waiting(team)
    const done = await team.robin.admin.advance(id, 'human_approved', { override_reason: 'The release waits.' })
    expect(done.body).toMatchObject({ status: 'in_progress', current_phase: 'phase_2' })
    const row = (await team.service.history(id)).at(-1)
    expect(row).toMatchObject({ actor: 'Robin', metadata: { override: true, override_reason: 'The release waits.' } })
    await team.service.close()
  })
})

describe('policies', () => {
  it('are set, listed and taken back by an admin, and by nobody else', async () => {
    const team = await gather({})
    const path = '/approval-policies/specify/phase_1'
    const body = { minimum_approvals: 2, required_roles: ['reviewer'], four_eyes: false }
    const statuses = await Promise.all(
      ROLES.map(async (role) => (await team.kim[role].request('PUT', path, body)).status),
    )
    expect(statuses).toEqual([403, 403, 403, 403, 200])
    expect((await team.kim.viewer.request('GET', '/approval-policies')).body.items).toHaveLength(8)
    expect((await team.kim.viewer.request('GET', '/approval-policies')).body.items[0]).toMatchObject({
      workflow_type: 'specify',
      phase: 'phase_1',
      ...body,
      updated_by: 'Kim',
    })
    expect((await team.kim.reviewer.request('DELETE', path)).status).toBe(403)
    expect((await team.kim.admin.request('DELETE', path)).body).toMatchObject({
      minimum_approvals: 1,
      updated_at: null,
    })
    await team.service.close()
  })

  it.each([
    [{ minimum_approvals: 0 }],
    [{ minimum_approvals: 11 }],
    [{ minimum_approvals: '2' }],
    [{ required_roles: ['viewer'] }],
    [{ required_roles: ['admin', 'admin'] }],
    [{ four_eyes: 'yes' }],
    [{ approved: true }],
  ])('that make no sense are refused: %j', async (policy) => {
    const service = await startWideService()
    const body = { minimum_approvals: 1, required_roles: [], four_eyes: null, ...policy }
    const answer = await service.admin.request('PUT', '/approval-policies/plan/phase_2', body)
    expect(told(answer)).toBe('422 VALIDATION_ERROR')
    await service.close()
  })
})
