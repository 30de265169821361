import fc from 'fast-check'
import { expect, it } from 'vitest'

import { startModelledService, type ModelledService } from './modelled-service.ts'
import { scale, tell } from './scale.ts'
import { cancelAll, expectHistories, steadyCommands } from './workflow-commands.ts'
import { WorkflowModel } from './workflow-model.ts'

const SEEDS = scale(2, 200)
/** Sequences of one simulation, one after the other on the same service: one or two may be too short to differ. */
const SEQUENCES = 4

/** Names drawn by chance become numbers in the order in which they appear; the clock is the simulation's own. */
function numbered(text: string): string {
  const names = new Map<string, string>()
  return text.replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{64}/g, (name) => {
    const known = names.get(name) ?? `#${names.size}`
    names.set(name, known)
    return known
  })
}

async function everythingTold({ client }: ModelledService): Promise<string> {
  const { items } = (await client.request('GET', '/workflows?limit=200')).body
  const histories = await Promise.all(items.map(({ id }: { id: string }) => client.history(id)))
  const attempts = await Promise.all(items.map(({ id }: { id: string }) => client.attempts(id)))
  return numbered(JSON.stringify({ items, histories, attempts }))
}

/** What a seed comes to: all that the service tells at the end. */
async function simulate(seed: number): Promise<{ told: string; steps: number }> {
  const real = await startModelledService()
  let steps = 0
  try {
    for (const drawn of fc.sample(steadyCommands, { seed, numRuns: SEQUENCES })) {
      const model = new WorkflowModel(real.max_reworks)
      steps += [...drawn].length
      await fc.asyncModelRun(() => ({ model, real }), drawn)
      await expectHistories(model, real)
      await cancelAll(model, real)
    }
    return { told: await everythingTold(real), steps }
  } finally {
    await real.close()
  }
}

it('the same seed comes to the same history, another one to another', async () => {
  const told = new Set<string>()
  let steps = 0
  for (let seed = 1; seed <= SEEDS; seed++) {
    const first = await simulate(seed)
    expect((await simulate(seed)).told).toBe(first.told)
    told.add(first.told)
    steps += first.steps
  }
  tell('R11', { seeds: SEEDS, steps, 'histories that differ': told.size })
  expect(told.size).toBe(SEEDS)
  expect(steps).toBeGreaterThan(SEEDS * SEQUENCES)
})
