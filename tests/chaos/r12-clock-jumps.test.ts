import { rm } from 'node:fs/promises'

import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest'

import { openDatabases } from '../../services/orchestrator/tests/databases.ts'
import { refuse, startPlainHub, type PlainHub } from '../../services/orchestrator/tests/plain-hub.ts'
import { clientOf, temporaryFolder } from '../../services/orchestrator/tests/service.ts'
import { startProcess, type ServiceProcess } from '../../services/orchestrator/tests/service-process.ts'
import { scale, tell } from './scale.ts'

const databases = await openDatabases()
afterAll(() => databases.stop())

const WORKFLOWS = scale(12, 300)

let folder: string
let hub: PlainHub
let service: ServiceProcess | undefined

beforeEach(async () => {
  folder = await temporaryFolder()
  hub = await startPlainHub()
})
afterEach(async () => {
  await service?.kill()
  await hub.close()
  await rm(folder, { recursive: true, force: true })
})

describe.each(databases.lasting)('$title', (database) => {
  it.skipIf(database.isMissing)(
    'a wall clock that jumps back and forth leaves nothing stuck and no order lost',
    async () => {
      const url = await database.create()
      const env = {
        DATABASE_URL: url,
        AGENT_HUB_URL: hub.url,
        NODE_OPTIONS: `--import ${import.meta.dirname}/date-shift.ts`,
      }
      service = await startProcess(folder, env)
      const client = clientOf(service.url)
      // Every third one has to wait for another try.
      const usual = hub.usual
      hub.usual = (received, response) =>
        (hub.received.length % 3 === 0 ? refuse(503, 'UNAVAILABLE', 'Not now.') : usual)(received, response)
      let back = 0
      for (let workflow = 0; workflow < WORKFLOWS; workflow++) {
        const { id } = await client.create()
        await client.until(id, 'waiting_approval')
        await client.advance(id, 'human_approved')
        await client.until(id, 'waiting_approval')
        expect((await client.advance(id, 'human_approved')).status).toBe(200)
        const history = await client.history(id)
        expect(history.map(({ trigger }) => trigger)).toEqual([
          'start',
          'agent_complete',
          'human_approved',
          'agent_complete',
          'human_approved',
        ])
        expect(history.map(({ sequence }) => sequence)).toEqual(
          history.map(({ sequence }) => sequence).toSorted((a, b) => a - b),
        )
        back += history.filter(({ created_at }, at) => created_at < (history[at - 1]?.created_at ?? '')).length
      }
      const { items } = (await client.request('GET', '/workflows?limit=200')).body
      tell(`R12 ${database.title}`, { workflows: WORKFLOWS, 'steps before their predecessor by the clock': back })
      expect(items.filter(({ status }: { status: string }) => status !== 'completed')).toEqual([])
      expect(back).toBeGreaterThan(WORKFLOWS / 10)
      expect((await service.stop()).code).toBe(0)
    },
  )
})
