import { readFile, rm } from 'node:fs/promises'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { temporaryFolder } from '../../services/orchestrator/tests/service.ts'
import { startProcess, type ServiceProcess } from '../../services/orchestrator/tests/service-process.ts'
import { startLoad } from './load.ts'
import { cutAtEveryAnswer, RECORDED } from './power-cut.ts'
import { scale, tell } from './scale.ts'
import { parseTrace, recording, straceMissing, type Call } from './strace.ts'

const CUTS = scale(30, 300)

let folder: string
let service: ServiceProcess | undefined

beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(async () => {
  await service?.kill()
  await rm(folder, { recursive: true, force: true })
})

/** What the service wrote while it acknowledged so many requests. */
async function record(env: Record<string, string> = {}): Promise<Call[]> {
  const trace = `${folder}/trace`
  const recorded = await startProcess(folder, { PHASE_EXECUTION: 'external', ...env }, recording(RECORDED, trace))
  service = recorded
  const load = startLoad({ url: () => recorded.url, clients: 4 })
  await load.more(CUTS)
  await load.stop()
  await recorded.stop()
  return parseTrace(await readFile(trace, 'utf8'))
}

const database = () => `${folder}/data/orchestrator.db`
const title =
  straceMissing === undefined ? 'a power cut at every acknowledgement' : `a power cut, skipped: ${straceMissing}`

describe.skipIf(straceMissing !== undefined)(title, () => {
  it('loses nothing, whatever of the rest the disk has kept', async () => {
    const calls = await record()
    const strict = cutAtEveryAnswer(calls, database())
    const lucky = cutAtEveryAnswer(calls, database(), 2)
    tell('R2 synchronous=FULL', { ...strict })
    tell('R2 synchronous=FULL, a random part of the unsynced bytes kept', { ...lucky })
    expect(strict).toMatchObject({ lost: 0, broken: 0 })
    expect(lucky).toMatchObject({ lost: 0, broken: 0 })
    expect(strict.cuts).toBeGreaterThanOrEqual(CUTS)
  })

  it('would be seen to lose with synchronous=NORMAL', async () => {
    const calls = await record({ NODE_OPTIONS: `--import ${import.meta.dirname}/without-fsync.ts` })
    const { cuts, lost } = cutAtEveryAnswer(calls, database())
    tell('R2 synchronous=NORMAL, the reference', { cuts, lost })
    expect(lost).toBeGreaterThan(cuts / 2)
  })
})
