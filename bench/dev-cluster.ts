import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/**
 * `npm run dev:cluster`: runs `cluster.ts` in a process group of its own. Ctrl-C reaches everything in the terminal's,
 * Postgres too, which would be gone before the replicas could hand back what they work on.
 */
const cluster = spawn(process.execPath, [join(import.meta.dirname, 'cluster.ts')], {
  detached: true,
  stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
})
const letGo = () => {
  if (cluster.connected) cluster.disconnect()
}
// For good: npm passes on what the terminal has sent already, and a second signal must not cut the end short.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, letGo)
const [code] = (await once(cluster, 'exit')) as [number | null]
process.exitCode = code ?? 1
