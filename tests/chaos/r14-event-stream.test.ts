import { rm } from 'node:fs/promises'

import { afterEach, beforeEach, expect, it } from 'vitest'

import { freePort } from '../../services/orchestrator/tests/free-port.ts'
import { temporaryFolder } from '../../services/orchestrator/tests/service.ts'
import { startProcess, type ServiceProcess } from '../../services/orchestrator/tests/service-process.ts'
import { audit, KEPT, rowsOfFile } from './audit.ts'
import { followEvents } from './event-follower.ts'
import { AT_ONCE_EVERY, killLoop } from './kill-loop.ts'
import { startLoad } from './load.ts'
import { scale, tell } from './scale.ts'

const RESTARTS = scale(4, 50)
const EVENTS_MIN = scale(60, 2_000)

let folder: string
let service: ServiceProcess | undefined

beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(async () => {
  await service?.kill()
  await rm(folder, { recursive: true, force: true })
})

it('a stream that resumes by Last-Event-ID misses nothing and repeats nothing through restarts', async () => {
  const port = await freePort()
  const url = () => `http://127.0.0.1:${port}`
  const env = { PORT: String(port), PHASE_EXECUTION: 'external' }
  const load = startLoad({ url, clients: 4 })
  const follower = followEvents(url)
  service = await killLoop({
    kills: RESTARTS,
    acknowledged_max: 100,
    load,
    seed: 14,
    start: async () => (service = await startProcess(folder, env)),
    // Half of them in order, half of them not; the first few for sure with somebody watching, later ones with luck.
    end: async (ended, kill) => {
      if (kill < AT_ONCE_EVERY) await follower.untilCome(kill)
      await (kill % 2 === 0 ? ended.kill() : ended.stop())
    },
  })
  await load.stop()
  const stored = rowsOfFile(`${folder}/data/orchestrator.db`)
  const told = await stored(
    `select sequence from workflows union all select sequence from workflow_history
     union all select sequence from events order by 1`,
  )
  const sequences = told.map((row) => Number(row['sequence']))
  await follower.until(sequences.at(-1) ?? 0)
  await follower.leave()
  await service.stop()
  tell('R14', {
    restarts: RESTARTS,
    returns: follower.returns(),
    events: sequences.length,
    missed: sequences.length - new Set(follower.sequences).size,
    repeated: follower.sequences.length - new Set(follower.sequences).size,
  })
  expect(follower.sequences).toEqual(sequences)
  expect(await audit(load.ledger, stored)).toEqual(KEPT)
  // One that was killed at once may not have been met.
  expect(follower.returns()).toBeGreaterThan(RESTARTS * 0.7)
  expect(sequences.length).toBeGreaterThan(EVENTS_MIN)
})
