import { rm } from 'node:fs/promises'

import { afterEach, beforeEach, expect, it } from 'vitest'

import { freePort } from '../../services/orchestrator/tests/free-port.ts'
import { temporaryFolder } from '../../services/orchestrator/tests/service.ts'
import { startProcess, type ServiceProcess } from '../../services/orchestrator/tests/service-process.ts'
import { audit, KEPT, rowsOfFile } from './audit.ts'
import { killLoop } from './kill-loop.ts'
import { startLoad } from './load.ts'
import { scale, tell } from './scale.ts'

const KILLS = scale(6, 1_000)
const ACKNOWLEDGED_MIN = scale(60, 50_000)

let folder: string
let service: ServiceProcess | undefined

beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(async () => {
  await service?.kill()
  await rm(folder, { recursive: true, force: true })
})

it('kill -9 in the middle of transitions loses nothing that was acknowledged, and doubles nothing', async () => {
  const port = await freePort()
  const env = {
    PORT: String(port),
    PHASE_EXECUTION: 'external',
  }
  const load = startLoad({ url: () => `http://127.0.0.1:${port}`, clients: 16 })
  service = await killLoop({
    kills: KILLS,
    acknowledged_max: 120,
    load,
    seed: 1,
    start: async () => (service = await startProcess(folder, env)),
  })
  await load.stop()
  const { code } = await service.stop()
  const { ledger } = load
  const found = await audit(ledger, rowsOfFile(`${folder}/data/orchestrator.db`))
  tell('R1', {
    kills: KILLS,
    acknowledged: ledger.acknowledged,
    lost: found.lost.length,
    doubled: found.doubled.length,
  })
  expect({ ...found, unexpected: ledger.unexpected }).toEqual({ ...KEPT, unexpected: [] })
  expect(ledger.acknowledged).toBeGreaterThan(ACKNOWLEDGED_MIN)
  expect(code).toBe(0)
})
