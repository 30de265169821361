import fc from 'fast-check'
import { expect, it } from 'vitest'

import { startModelledService } from './modelled-service.ts'
import { scale, tell } from './scale.ts'
import { cancelAll, commands, expectHistories, seen } from './workflow-commands.ts'
import { WorkflowModel } from './workflow-model.ts'

const SEQUENCES = scale(40, 10_000)
const PAIRS = 5 * 5
/** Sequences on one database: every crash copies and checks it whole, so that it must not grow for ever. */
const SEQUENCES_EACH = 250

it('any sequence of steps, faults, crashes and restarts ends as the five-state model says', async () => {
  let real = await startModelledService()
  const startAnew = async () => {
    await real.close()
    real = await startModelledService()
  }
  let sequences = 0
  const sequence = fc.asyncProperty(commands, async (drawn) => {
    const model = new WorkflowModel(real.max_reworks)
    try {
      await fc.asyncModelRun(() => ({ model, real }), drawn)
      await expectHistories(model, real)
      await cancelAll(model, real)
    } catch (error) {
      // What this sequence left must not tell on the next one.
      await startAnew()
      throw error
    }
    if (++sequences % SEQUENCES_EACH === 0) await startAnew()
  })
  await fc.assert(sequence, { numRuns: SEQUENCES })
  await real.close()
  tell('R10', {
    sequences,
    steps: seen.steps,
    crashes: seen.crashes,
    'crashes with a step under way': seen.crashes_in_flight,
    restarts: seen.restarts,
    'state × trigger pairs': seen.pairs.size,
  })
  expect(seen.pairs.size).toBe(PAIRS)
  expect(sequences).toBe(SEQUENCES)
  expect(seen.crashes).toBeGreaterThan(SEQUENCES / 10)
  expect(seen.crashes_in_flight).toBeGreaterThan(SEQUENCES / 10)
})
