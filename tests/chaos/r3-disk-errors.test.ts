import { readFile, rm } from 'node:fs/promises'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { freePort } from '../../services/orchestrator/tests/free-port.ts'
import { temporaryFolder } from '../../services/orchestrator/tests/service.ts'
import { startProcess, type ServiceProcess } from '../../services/orchestrator/tests/service-process.ts'
import { audit, KEPT, rowsOfFile } from './audit.ts'
import { startLoad } from './load.ts'
import { scale, tell } from './scale.ts'
import { failing, parseTrace, recording, straceMissing } from './strace.ts'

/** Which call of its kind fails: those of a start, in which the file is made, and so many of the commits after it. */
const SWEEPS = [
  { call: 'fsync', after: scale(3, 40) },
  { call: 'pwrite64', after: scale(60, 400) },
] as const
const FAULTS = scale(2, 50)

/** Answers that reach the clients before a service with no fault left to meet is stopped. */
const ENOUGH = 24

let folder: string
let service: ServiceProcess | undefined

beforeEach(async () => {
  folder = await temporaryFolder()
})
afterEach(async () => {
  await service?.kill()
  await rm(folder, { recursive: true, force: true })
})

/** How many calls a start makes. */
async function callsOfStart(call: string): Promise<number> {
  const trace = `${folder}/sound.trace`
  const env = { PHASE_EXECUTION: 'external', DATABASE_URL: `sqlite:///${folder}/sound.db` }
  service = await startProcess(folder, env, recording([call], trace))
  const made = parseTrace(await readFile(trace, 'utf8')).length
  await service.kill()
  return made
}

/** One service whose disk fails once, clients that ask on, and what is there after a sound start. */
async function meetFault(call: string, number: number) {
  const place = `${folder}/${call}-${number}`
  const port = await freePort()
  const env = { PORT: String(port), PHASE_EXECUTION: 'external' }
  const load = startLoad({ url: () => `http://127.0.0.1:${port}`, clients: 4 })
  const database_url = `sqlite:///${place}.db`
  const failed = await startProcess(
    folder,
    { ...env, DATABASE_URL: database_url },
    failing(call, number, `${place}.trace`),
  ).catch((error: Error) => error.message)
  const outcome = typeof failed === 'string' ? refusedStart(failed) : await untilItEnds(failed, load)
  service = await startProcess(folder, { ...env, DATABASE_URL: database_url })
  await load.more(8)
  await load.stop()
  await service.stop()
  const found = await audit(load.ledger, rowsOfFile(`${place}.db`))
  return {
    outcome,
    found: { ...found, unexpected: load.ledger.unexpected },
    refused: load.ledger.refused.get(503) ?? 0,
  }
}

/** A start is refused in one line that names the variable. */
const refusedStart = (said: string) => (/^ended: DATABASE_URL: [^\n]+\n$/.test(said) ? 'refused to start' : said)

async function untilItEnds(failed: ServiceProcess, load: ReturnType<typeof startLoad>): Promise<string> {
  service = failed
  const code = await Promise.race([failed.exited, load.more(ENOUGH).then(() => 'went on' as const)])
  if (code === 'went on') {
    await failed.stop()
    return code
  }
  return code === 1 ? 'ended with 1' : `ended with ${code}: ${failed.output()}`
}

const title = straceMissing === undefined ? 'an I/O error' : `an I/O error, skipped: ${straceMissing}`

describe.skipIf(straceMissing !== undefined)(title, () => {
  it.each(SWEEPS)('of $call is never acknowledged, whichever call it hits', async ({ call, after }) => {
    const of_start = await callsOfStart(call)
    // Evenly spread, from the first to the last.
    const apart = (of_start + after - 1) / (FAULTS - 1)
    const numbers = Array.from({ length: FAULTS }, (_, index) => Math.round(1 + index * apart))
    const outcomes: Record<string, number> = {}
    let refused = 0
    for (const number of numbers) {
      const met = await meetFault(call, number)
      outcomes[met.outcome] = (outcomes[met.outcome] ?? 0) + 1
      refused += met.refused
      expect([number, met.found]).toEqual([number, { ...KEPT, unexpected: [] }])
    }
    tell(`R3 ${call}`, { 'calls of a start': of_start, faults: numbers.length, ...outcomes, 'answers 503': refused })
    expect(Object.keys(outcomes).toSorted()).toEqual(expect.arrayContaining(['ended with 1', 'refused to start']))
    expect(Object.keys(outcomes).filter((outcome) => !KNOWN.has(outcome))).toEqual([])
    expect(refused).toBeGreaterThan(0)
  })
})

/** `went on`: the call was none that a commit waits for, as at the end of a checkpoint, which is done again. */
const KNOWN = new Set(['ended with 1', 'refused to start', 'went on'])
