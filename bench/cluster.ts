import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

import { startPostgres } from '../services/orchestrator/tests/postgres-server.ts'
import { startBalancer, type Balancer } from './balancer.ts'
import { startService, withFolder, type ServiceProcess } from './service-process.ts'

/**
 * A real Postgres, a hub with its demo agent, three replicas and a balancer on loopback, to watch a failover. Kill a
 * replica and see its phase go on; it comes back by itself. `PORT` is the balancer's, and the replicas' are eleven to
 * thirteen above it; with 0 each takes any free one. Ends when who started it lets go of it: see `dev-cluster.ts`.
 */
const PORT = Number(process.env['PORT'] ?? 8000)
const REPLICAS = 3
const AGAIN_MS = 3_000

const say = (line: string) => process.stdout.write(`${line}\n`)

/** Who works on what, from the log of a replica. */
function tellPhases(number: number, replica: ServiceProcess): void {
  const { stdout } = replica.child
  if (stdout === null) return
  createInterface({ input: stdout }).on('line', (line) => {
    if (!line.includes('"phase begun"') && !line.includes('"phase ended"')) return
    const { msg, workflow_id, workflow_type, phase, outcome } = JSON.parse(line) as Record<string, string>
    const what = `${workflow_type} ${phase} of ${workflow_id}`
    const end = outcome === 'unwanted' ? 'lets go of' : `${outcome}:`
    say(`  replica ${number} ${msg === 'phase begun' ? 'takes up' : end} ${what}`)
  })
}

const PICTURE = `
  you ──► balancer ──► replica 1, 2, 3 ──► Agent Hub
                            │
                         Postgres

  Create some workflows, and kill the replica that works on one: another goes on with it within 12 s,
  or at once after a plain kill. Ctrl-C ends everything.
`

const ending = new AbortController()
process.once('disconnect', () => ending.abort())
// The terminal may be gone before the cluster is.
process.stdout.on('error', () => {})

await withFolder(async (folder) => {
  const postgres = await startPostgres()
  if (postgres.missing !== undefined) {
    say(postgres.missing)
    return
  }
  // The package that brings Postgres would end it and this process before the replicas could hand back.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.removeAllListeners(signal)
    process.on(signal, () => ending.abort())
  }
  const DATABASE_URL = await postgres.createDatabase()
  const workspace = `${folder}/workspace`
  mkdirSync(workspace)
  for (const command of [
    ['init', '--quiet'],
    [
      '-c',
      'user.name=demo',
      '-c',
      'user.email=demo@localhost',
      'commit',
      '--quiet',
      '--allow-empty',
      '--message=begin',
    ],
  ]) {
    execFileSync('git', command, { cwd: workspace })
  }
  const replicas = new Map<number, ServiceProcess>()
  let failure: unknown
  const fail = (error: unknown) => {
    failure ??= error
    ending.abort()
  }

  const keepRunning = async (number: number, agent_hub_url: string) => {
    const port = PORT === 0 ? '0' : String(PORT + 10 + number)
    const env = { DATABASE_URL, PORT: port, AGENT_HUB_URL: agent_hub_url, LOG_LEVEL: 'info' }
    while (!ending.signal.aborted) {
      const replica = await startService('orchestrator', env)
      // It was still starting when the others were stopped.
      if (ending.signal.aborted) return replica.stop()
      replicas.set(number, replica)
      tellPhases(number, replica)
      say(`replica ${number}: ${replica.url}  (kill -9 ${replica.child.pid})`)
      await once(replica.child, 'exit')
      replicas.delete(number)
      if (ending.signal.aborted) return
      say(`replica ${number} ended; it comes back in ${AGAIN_MS / 1000} s`)
      await sleep(AGAIN_MS, undefined, { signal: ending.signal }).catch(() => {})
    }
  }

  let hub: ServiceProcess | undefined
  let balancer: Balancer | undefined
  let running: Promise<void>[] = []
  try {
    const { url } = (hub = await startService('agent-hub', {
      HUB_PORT: '0',
      HUB_DATABASE_URL: `sqlite:///${folder}/hub.db`,
      WORKSPACE: workspace,
      HUB_SANDBOX: process.env['HUB_SANDBOX'] ?? 'auto',
    }))
    balancer = await startBalancer(PORT, () => [...replicas.values()].map((replica) => replica.url))
    running = Array.from({ length: REPLICAS }, (_, index) => keepRunning(index + 1, url).catch(fail))
    say(`Postgres: ${DATABASE_URL}\nAgent Hub: ${url}\nOpen ${balancer.url}\n${PICTURE}`)
    if (!ending.signal.aborted) await once(ending.signal, 'abort')
  } catch (error) {
    fail(error)
  }
  await balancer?.close()
  await Promise.all([...replicas.values()].map((replica) => replica.stop()))
  await Promise.all(running)
  await hub?.stop()
  await postgres.stop()
  if (failure !== undefined) {
    process.stderr.write(`The cluster ended: ${String(failure)}\n`)
    process.exitCode = 1
  }
})
// By itself it would end with 0, whatever `exitCode` says: the package that brings Postgres sees to that.
process.exit()
