import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Collects all there is to collect and gives the memory back to the system, which takes up to a tenth of a
 * second. By itself V8 keeps what loading a service's modules took, for a load that may never come (bench/idle.ts).
 */
export function collectGarbage(): void {
  // A new context is what shows the function where the process was not started with the flag.
  setFlagsFromString('--expose-gc')
  const gc = runInNewContext('gc') as NodeJS.GCFunction
  setFlagsFromString('--no-expose-gc')
  gc({ type: 'major', execution: 'sync', flavor: 'last-resort' })
}
