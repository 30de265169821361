import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import { invocationSchema } from '@orchestrator/contract'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

import { readEvents } from '../event-reader.ts'
import { clientOf, startService, temporaryFolder, type Service } from '../service.ts'
import { startHub, startProcess, STUB, type ServiceProcess } from '../service-process.ts'

let folder: string
let hub: ServiceProcess
let service: Service

beforeAll(async () => {
  folder = await temporaryFolder()
  hub = await startHub(folder)
  service = await startService({ hub: hub.url, env: { AGENT_NAME: 'demo' } })
})
afterAll(async () => {
  await service.close()
  await hub.stop()
  await rm(folder, { recursive: true, force: true })
})

/** How many invocations the hub has taken on under this key, and how they stand. */
function invocationsOf(key: string | undefined): { status: string }[] {
  const database = new DatabaseSync(join(folder, 'data/agent-hub.db'), { readOnly: true })
  const rows = database.prepare('select status from invocations where idempotency_key = ?').all(key ?? '')
  database.close()
  return rows as { status: string }[]
}
const invocation = async (id: string | null | undefined) =>
  invocationSchema.parse(await (await fetch(`${hub.url}/invocations/${id}`)).json())

const stubborn = (mood: string) => ({
  agent: STUB,
  feature_description: `People can log in with their email address and a password.\nstub: ${mood}`,
})

describe('with the hub and its demo agent', () => {
  it('writes a specification about the feature, and takes a comment into it', async () => {
    const created = await service.create({ feature_description: 'Let people export their invoices as a PDF file' })
    const { result } = await service.until(created.id, 'waiting_approval')
    expect(result?.['files_created']).toContain(`specs/${created.feature_id}/spec.md`)
    const [first] = await service.attempts(created.id)
    const spec = first?.artifacts.find(({ path }) => path.endsWith('/spec.md'))
    expect((await service.request('GET', `/artifacts/${spec?.digest}`)).text).toMatch(/invoices/i)
    await service.advance(created.id, 'human_rejected', { comments: 'Only an accountant may export.' })
    await service.until(created.id, 'waiting_approval')
    const second = (await service.attempts(created.id))[1]
    const reworked = second?.artifacts.find(({ path }) => path.endsWith('/spec.md'))
    expect(reworked?.digest).not.toBe(spec?.digest)
    expect((await service.request('GET', `/artifacts/${reworked?.digest}`)).text).toContain('accountant')
    const page = await service.request('GET', `/artifacts/${reworked?.digest}/rendered`)
    expect(page.body.kind).toBe('document')
  })

  it('tells what the agent does while it does it', async () => {
    const { id } = await service.create(stubborn('say Looking around.'))
    const reader = await readEvents(`${service.url}/workflows/${id}/events`)
    await service.until(id, 'waiting_approval')
    const said = () => reader.events.flatMap((event) => (event.type === 'agent.update' ? event.data.updates : []))
    await expect
      .poll(() =>
        said()
          .map(({ text }) => text ?? '')
          .join(''),
      )
      .toContain('Looking around.')
    await expect
      .poll(() => reader.events.at(-1))
      .toMatchObject({ type: 'workflow.transition', data: { trigger: 'agent_complete' } })
    await reader.leave()
  })

  it('cancels at the hub what was cancelled here', async () => {
    const { id } = await service.create(stubborn('hang'))
    await expect.poll(async () => (await service.attempts(id))[0]?.invocation_id).not.toBeNull()
    await service.request('POST', `/workflows/${id}/cancel`, { reason: 'A mistake.' })
    const [attempt] = await service.attempts(id)
    await expect.poll(async () => (await invocation(attempt?.invocation_id)).status).toBe('cancelled')
  })

  it('cancels at the hub what somebody else completed', async () => {
    const { id } = await service.create(stubborn('hang'))
    await expect.poll(async () => (await service.attempts(id))[0]?.invocation_id).not.toBeNull()
    const { body } = await service.advance(id, 'agent_complete', { output: 'Done by hand.' })
    expect(body).toMatchObject({ status: 'waiting_approval', result: { output: 'Done by hand.' } })
    const [attempt] = await service.attempts(id)
    await expect.poll(async () => (await invocation(attempt?.invocation_id)).status).toBe('cancelled')
    expect(await service.get(id)).toMatchObject({ result: { output: 'Done by hand.' } })
  })

  it('attaches again after kill -9 in the middle of a phase: one invocation, a history without gaps', async () => {
    const own = join(folder, 'killed')
    await mkdir(own)
    const first = await startProcess(own, { AGENT_HUB_URL: hub.url })
    const { id, attempt } = await clientOf(first.url).create(stubborn(`await ${own}/go`))
    await expect.poll(() => invocationsOf(attempt?.id)).toMatchObject([{ status: 'running' }])
    await first.kill()

    const second = await startProcess(own, { AGENT_HUB_URL: hub.url })
    await writeFile(join(own, 'go'), '')
    const client = clientOf(second.url)
    await client.until(id, 'waiting_approval')
    expect(invocationsOf(attempt?.id)).toMatchObject([{ status: 'succeeded' }])
    expect(await client.attempts(id)).toMatchObject([{ id: attempt?.id, number: 1, state: 'succeeded', tries: 2 }])
    expect((await client.history(id)).map(({ trigger }) => trigger)).toEqual(['start', 'agent_complete'])
    const reader = await readEvents(`${second.url}/workflows/${id}/events`)
    const told = () =>
      reader.events.flatMap((event) => (event.type === 'workflow.transition' ? [event.data.trigger] : []))
    await expect.poll(told).toEqual(['start', 'agent_complete'])
    await reader.leave()
    await second.stop()
  })
})
