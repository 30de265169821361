import { glob, rm, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { freePort } from '../../services/orchestrator/tests/free-port.ts'
import { clientOf, temporaryFolder } from '../../services/orchestrator/tests/service.ts'
import { startHub, startProcess, STUB, type ServiceProcess } from '../../services/orchestrator/tests/service-process.ts'
import { living, processesIn } from './processes-in.ts'
import { limit, scale, tell } from './scale.ts'

const AGENTS = scale(4, 10)
const ROUNDS = scale(1, 5)
/** In `npm test` with what a loaded machine adds. */
const AFTER_MS = limit(10_000 + 30_000, 10_000)

let folder: string
let hub: ServiceProcess
let service: ServiceProcess | undefined

beforeEach(async () => {
  folder = await temporaryFolder()
  service = undefined
})
afterEach(async () => {
  await service?.kill()
  await hub.kill()
  await rm(folder, { recursive: true, force: true })
})

const startAgents = (port: string) =>
  startHub(folder, { HUB_PORT: port, HUB_MEMORY_MB: '100000', HUB_MAX_RUNNING: String(AGENTS) })

/** How many invocations stand where. */
function invocations(): Record<string, number> {
  const database = new DatabaseSync(`${folder}/data/agent-hub.db`, { readOnly: true })
  const found = database.prepare('select status, count(*) as count from invocations group by status').all()
  database.close()
  return Object.fromEntries(found.map(({ status, count }) => [String(status), Number(count)]))
}

const title = process.platform === 'linux' ? 'a hub killed with agents at work' : 'a hub, skipped: needs /proc'

describe.skipIf(process.platform !== 'linux')(title, () => {
  it('leaves no orphans once it is back, and its invocations go on', async () => {
    const port = String(await freePort())
    hub = await startAgents(port)
    service = await startProcess(folder, {
      AGENT_HUB_URL: hub.url,
      AGENT_NAME: STUB,
      MAX_CONCURRENT_PHASES: String(AGENTS),
    })
    const client = clientOf(service.url)
    let orphaned = 0
    for (let round = 1; round <= ROUNDS; round++) {
      // One child in the agent's process group and one outside of it.
      const go = `${folder}/go-${round}`
      const feature_description = `Something that takes a while\nstub: fork child\nstub: flee stray\nstub: await ${go}`
      const workflows = []
      for (let agent = 0; agent < AGENTS; agent++) workflows.push(await client.create({ feature_description }))
      await expect.poll(invocations, { timeout: 60_000 }).toMatchObject({ running: AGENTS })
      const agents = `${folder}/data/workspaces`
      // Left by every agent of this round and of those before, once it has both children.
      const countStrays = async () => {
        let count = 0
        for await (const _ of glob('**/stray', { cwd: agents })) count++
        return count
      }
      await expect.poll(countStrays, { timeout: 60_000 }).toBe(AGENTS * round)
      await hub.kill()
      const left = await living(await processesIn(agents))
      orphaned += left.length

      hub = await startAgents(port)
      const began = performance.now()
      await expect.poll(() => living(left), { timeout: AFTER_MS }).toEqual([])
      await expect.poll(() => invocations()['queued'] ?? 0, { timeout: AFTER_MS }).toBe(0)
      const took_ms = performance.now() - began
      await writeFile(go, '')
      for (const { id } of workflows)
        await expect.poll(async () => (await client.get(id)).status, { timeout: 60_000 }).toBe('waiting_approval')
      expect(invocations()).toEqual({ succeeded: AGENTS * round })
      const histories = await Promise.all(workflows.map(({ id }) => client.history(id)))
      expect(histories.map((history) => history.map(({ trigger }) => trigger))).toEqual(
        workflows.map(() => ['start', 'agent_complete']),
      )
      tell('R15', { agents: AGENTS, 'processes left behind': left.length, 'gone and taken up after ms': took_ms })
    }
    // The children at least: an agent may end by itself when nobody talks to it any more.
    expect(orphaned).toBeGreaterThanOrEqual(AGENTS * ROUNDS * 2)
  })
})
