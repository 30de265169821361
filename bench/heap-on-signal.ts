import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tmpdir } from 'node:os'

/** Loaded into the service by `bench/soak.ts`: on SIGUSR2 it collects garbage and writes how many MB of heap are left. */
process.on('SIGUSR2', () => {
  for (let count = 0; count < 3; count++) globalThis.gc?.()
  writeFileSync(join(tmpdir(), `heap-${process.pid}`), String(process.memoryUsage().heapUsed / 1_048_576))
})
