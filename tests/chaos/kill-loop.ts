import { setTimeout as sleep } from 'node:timers/promises'

import type { ServiceProcess } from '../../services/orchestrator/tests/service-process.ts'
import type { Load } from './load.ts'
import { seeded } from './random.ts'

export interface KillLoopOptions {
  kills: number
  /** Acknowledgements between two kills, at most. */
  acknowledged_max: number
  start(): Promise<ServiceProcess>
  load: Load
  /** How the service is ended; kill -9 unless told otherwise. */
  end?: (service: ServiceProcess, kill: number) => Promise<void>
  seed: number
}

/** Every so many kills one comes at once, when what the last one left is still being taken up. */
export const AT_ONCE_EVERY = 10

/** Starts the service and kills it while clients wait for answers, again and again; leaves it running. */
export async function killLoop(o: KillLoopOptions): Promise<ServiceProcess> {
  const random = seeded(o.seed)
  for (let kill = 1; kill <= o.kills; kill++) {
    const service = await o.start()
    if (kill % AT_ONCE_EVERY === 0) await sleep(random.below(20))
    else await o.load.more(1 + random.below(o.acknowledged_max))
    await (o.end ?? ((ended) => ended.kill()))(service, kill)
  }
  return o.start()
}
