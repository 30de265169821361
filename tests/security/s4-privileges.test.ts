import { DatabaseSync } from 'node:sqlite'

import { ROLES, WORKFLOW_STATUSES, type Role, type WorkflowStatus } from '@orchestrator/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { PRIVILEGES, type Action } from '../../services/orchestrator/src/core/privileges.ts'
import {
  clientOf,
  startService,
  type Answer,
  type Client,
  type Service,
} from '../../services/orchestrator/tests/service.ts'
import { onEach, startWideService, type WideService } from './wide-service.ts'

/** Everything that can be done to a workflow. `start` is the service's own: nobody may post it. */
const DEEDS = ['start', 'agent_complete', 'error', 'human_approved', 'human_rejected', 'cancel', 'retry'] as const
type Deed = (typeof DEEDS)[number]
const OWNERS = ['own', "another's"] as const

/** The seed's table, and what stands beside it: from where each deed is possible. */
const POSSIBLE: Record<Deed, readonly WorkflowStatus[]> = {
  start: [],
  agent_complete: ['in_progress'],
  error: ['in_progress'],
  human_approved: ['waiting_approval'],
  human_rejected: ['waiting_approval'],
  cancel: ['pending', 'in_progress', 'waiting_approval'],
  retry: ['failed'],
}

interface Cell {
  role: Role
  deed: Deed
  status: WorkflowStatus
  owner: (typeof OWNERS)[number]
}
const cells: Cell[] = ROLES.flatMap((role) =>
  DEEDS.flatMap((deed) =>
    WORKFLOW_STATUSES.flatMap((status) => OWNERS.map((owner) => ({ role, deed, status, owner }))),
  ),
)

/** What the published table promises, and nothing else: who may, then whether it is possible. */
function promised({ role, deed, status, owner }: Cell): string {
  // Who may post any trigger is told that there is none such; the others learn nothing.
  if (deed === 'start') return mayAdvance(role) ? '400 INVALID_TRIGGER' : '403 FORBIDDEN'
  const extent = PRIVILEGES[deed][role]
  if (extent === undefined || (extent === 'own' && owner !== 'own')) return '403 FORBIDDEN'
  if (!POSSIBLE[deed].includes(status)) return '400 INVALID_STATE_TRANSITION'
  return deed === 'retry' ? '201' : '200'
}
const TRIGGERS: Action[] = ['agent_complete', 'error', 'human_approved', 'human_rejected']
const mayAdvance = (role: Role) => TRIGGERS.some((trigger) => PRIVILEGES[trigger][role] !== undefined)

const told = ({ status, body }: Answer) => [status, body?.error?.code].filter((word) => word !== undefined).join(' ')

const post = (client: Client, deed: Deed, id: string) =>
  deed === 'cancel' || deed === 'retry'
    ? client.request('POST', `/workflows/${id}/${deed}`)
    : client.request('POST', `/workflows/${id}/advance`, { trigger: deed })

let service: WideService
let robin: Record<Role, Client>
let kim: Client

beforeAll(async () => {
  // Four eyes have a matrix of their own: s4-approvals.
  service = await startWideService({ FOUR_EYES: 'off' })
  // One name with a key of every role: what is theirs goes by the name.
  const made = await Promise.all(
    ROLES.map(async (role) => [role, (await service.issue('Robin', role)).client] as const),
  )
  robin = Object.fromEntries(made) as Record<Role, Client>
  kim = (await service.issue('Kim', 'submitter')).client
})
afterAll(() => service.close())

/** A workflow of this person, brought to this state. */
async function workflowIn(status: WorkflowStatus, owner: Cell['owner'], { admin, folder }: WideService) {
  const { id } = await (owner === 'own' ? robin.submitter : kim).create()
  const steps: Record<WorkflowStatus, readonly string[]> = {
    pending: [],
    in_progress: [],
    waiting_approval: ['agent_complete'],
    completed: ['agent_complete', 'human_approved', 'agent_complete', 'human_approved'],
    failed: ['error'],
  }
  for (const trigger of steps[status]) expect((await admin.advance(id, trigger)).status).toBe(200)
  // Phases that run elsewhere start at once, so that nothing waits by itself.
  const database = new DatabaseSync(`${folder}/orchestrator.db`)
  database.prepare('update workflows set status = ? where id = ?').run(status, id)
  database.close()
  expect((await admin.get(id)).status).toBe(status)
  return id
}

async function tryCell(cell: Cell) {
  const id = await workflowIn(cell.status, cell.owner, service)
  const before = JSON.stringify([await service.admin.get(id), await service.admin.history(id)])
  const answer = told(await post(robin[cell.role], cell.deed, id))
  const after = JSON.stringify([await service.admin.get(id), await service.admin.history(id)])
  const name = `${cell.role} ${cell.deed} ${cell.status} ${cell.owner}`
  return { name, answer, expected: promised(cell), changed: before !== after }
}

describe('role × deed × state × whose it is', () => {
  it('every cell is as published, and what is refused leaves no trace', { timeout: 240_000 }, async () => {
    expect(cells).toHaveLength(350)
    const results = await onEach(cells, tryCell)
    expect(results.filter(({ answer, expected }) => answer !== expected)).toEqual([])
    expect(results.filter(({ answer, changed }) => changed && answer !== '200')).toEqual([])
    // What is refused to all and what is granted to all would also agree with itself.
    const count = (start: string) => results.filter(({ expected }) => expected.startsWith(start)).length
    expect({ granted: count('20'), refused: count('403'), impossible: count('400') }).toEqual({
      granted: 28,
      refused: 210,
      impossible: 112,
    })
  })

  it('an unknown workflow is unknown to who may act on it, and refused to the others as ever', async () => {
    const id = '00000000-0000-4000-8000-000000000000'
    const answers = await onEach(
      cells.filter(({ status, owner, deed }) => status === 'pending' && owner === 'own' && deed !== 'start'),
      async (cell) => ({
        answer: told(await post(robin[cell.role], cell.deed, id)),
        expected: promised(cell) === '403 FORBIDDEN' ? '403 FORBIDDEN' : '404 WORKFLOW_NOT_FOUND',
      }),
    )
    expect(answers.map(({ answer }) => answer)).toEqual(answers.map(({ expected }) => expected))
  })
})

describe('role × what there is beside workflows', () => {
  const create = { workflow_type: 'specify', feature_description: 'Add user authentication with OAuth2' }

  it.each(ROLES)('a %s creates, reads, manages keys and the queue as published', async (role) => {
    const client = robin[role]
    const may = (action: Action, status: number) => (PRIVILEGES[action][role] === undefined ? 403 : status)
    const { id } = await service.admin.create()
    const answers = {
      create: (await client.request('POST', '/workflows', create)).status,
      read: (await client.request('GET', `/workflows/${id}`)).status,
      history: (await client.request('GET', `/workflows/${id}/history`)).status,
      docs: (await client.request('GET', '/openapi.json')).status,
      list_keys: (await client.request('GET', '/keys')).status,
      make_key: (await client.request('POST', '/keys', { name: 'Ana', role: 'admin' })).status,
      revoke_key: (await client.request('POST', '/keys/000000000000/revoke')).status,
      look_at_queue: (await client.request('GET', '/queue')).status,
      pause_queue: (await client.request('POST', '/queue/pause', {})).status,
      resume_queue: (await client.request('POST', '/queue/resume')).status,
    }
    expect(answers).toEqual({
      create: may('create', 201),
      read: 200,
      history: 200,
      docs: 200,
      list_keys: may('manage_keys', 200),
      make_key: may('manage_keys', 201),
      revoke_key: may('manage_keys', 404),
      look_at_queue: 200,
      pause_queue: may('manage_queue', 200),
      resume_queue: may('manage_queue', 200),
    })
  })

  it.each(ROLES)('a %s is told in a sentence what they lack', async (role) => {
    const answers = [
      await robin[role].request('GET', '/keys'),
      await robin[role].request('POST', '/workflows', create),
      await robin[role].advance('00000000-0000-4000-8000-000000000000', 'human_approved'),
      await robin[role].advance('00000000-0000-4000-8000-000000000000', 'agent_complete'),
    ].filter(({ status }) => status === 403)
    expect(answers.map(({ body }) => body.error.message)).toEqual(
      answers.map(() => expect.stringMatching(new RegExp(`needs a key with the role .*admin; yours is ${role}\\.$`))),
    )
  })
})

describe('on loopback', () => {
  let open: Service
  beforeAll(async () => {
    open = await startService()
  })
  afterAll(() => open.close())

  it('who shows no key may do everything, and is called local', async () => {
    const { id, created_by } = await open.create()
    expect(created_by).toBe('local')
    const deeds = ['agent_complete', 'human_rejected', 'agent_complete', 'human_approved', 'error'] as const
    for (const deed of deeds) expect([deed, told(await post(open, deed, id))]).toEqual([deed, '200'])
    expect(told(await post(open, 'retry', id))).toBe('201')
    expect((await open.request('POST', '/keys', { name: 'Ana', role: 'viewer' })).status).toBe(201)
  })

  it('who shows a key is whom it names, and no more', async () => {
    const made = await open.request('POST', '/keys', { name: 'Ana', role: 'viewer' })
    const ana = clientOf(open.url, made.body.key)
    expect((await ana.request('GET', '/workflows')).status).toBe(200)
    expect((await ana.request('GET', '/keys')).status).toBe(403)
    expect((await clientOf(open.url, `${made.body.key.slice(0, -1)}_`).request('GET', '/workflows')).status).toBe(401)
  })
})
