import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

import { createClient } from '@orchestrator/client'
import { afterEach, describe, expect, it } from 'vitest'

import { descendantsOf, killTree } from '../../apps/cli/src/kill-tree.ts'
import { startPostgres } from '../../services/orchestrator/tests/postgres-server.ts'
import { living } from '../chaos/processes-in.ts'
import { ROOT } from './running-product.ts'

/** The cluster brings its own; this one only tells whether it can. */
const postgres = await startPostgres()
await postgres.stop()
const missing = process.platform === 'linux' ? postgres.missing : 'needs /proc'

/** Four processes and a database server start side by side, on a machine that may be loaded. */
const START = { timeout: 60_000 }
/** An engine's heartbeat of 10 s, a look each second, and what a loaded machine adds. */
const TAKEOVER = { timeout: 40_000 }

let cluster: ChildProcess
let output: string

afterEach(() => killTree(cluster.pid!))

/** `npm run dev:cluster` as a process of a group of its own, for Ctrl-C reaches a whole group. */
function startCluster(): void {
  output = ''
  cluster = spawn('npm', ['run', '--silent', 'dev:cluster'], {
    cwd: ROOT,
    env: { ...process.env, PORT: '0' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [cluster.stdout, cluster.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => (output += text))
}

/** What it said of the replicas that it started, the latest of each: their numbers and process ids. */
const pids = () =>
  new Map(
    [...output.matchAll(/^replica (\d): \S+ {2}\(kill -9 (\d+)\)$/gm)].map(([, number, pid]) => [number, Number(pid)]),
  )

/** The replica that took up a workflow's phase last. */
const workerOf = (id: string) =>
  [...output.matchAll(/^ {2}replica (\d) takes up .* of (\S+)$/gm)].findLast((said) => said[2] === id)?.[1]

const title = missing === undefined ? 'npm run dev:cluster' : `npm run dev:cluster, skipped: ${missing}`

describe.skipIf(missing !== undefined)(title, () => {
  it('ends with everything on a Ctrl-C that comes while its replicas start', async () => {
    startCluster()
    await expect.poll(() => output, START).toContain('Open http')
    expect(pids().size).toBe(0)
    const exited = once(cluster, 'close')
    const started = descendantsOf(cluster.pid!)
    process.kill(-cluster.pid!, 'SIGINT')
    await exited
    await expect.poll(() => living(started)).toEqual([])
  })

  it('goes on when a replica is killed, which comes back, and ends with everything on Ctrl-C', async () => {
    startCluster()
    await expect.poll(() => pids().size, START).toBe(3)
    const url = /^Open (\S+)$/m.exec(output)?.[1] ?? ''
    const answered = new Set<string | undefined>()
    const ask = async () =>
      answered.add(/^process_start_time_seconds (\S+)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1])
    await expect.poll(async () => (await ask()).size).toBe(3)

    const client = createClient({ base_url: url })
    const create = () =>
      client.createWorkflow({ workflow_type: 'specify', feature_description: 'Something to watch fail over' })
    const statusOf = async (id: string) => (await client.getWorkflow(id)).status
    const before = await create()
    await expect.poll(() => workerOf(before.id)).toBeDefined()
    const killed = workerOf(before.id)!
    const pid = pids().get(killed)!
    process.kill(pid, 'SIGKILL')
    await expect.poll(() => output).toContain(`replica ${killed} ended`)
    const after = await create()
    for (const { id } of [before, after]) await expect.poll(() => statusOf(id), TAKEOVER).toBe('waiting_approval')
    await expect.poll(() => pids().get(killed), START).not.toBe(pid)

    const started = descendantsOf(cluster.pid!)
    expect(started).toEqual(expect.arrayContaining([...pids().values()]))
    const exited = once(cluster, 'close')
    process.kill(-cluster.pid!, 'SIGINT')
    await exited
    expect(output).not.toContain('did not close')
    await expect.poll(() => living(started)).toEqual([])
    await expect(fetch(`${url}/health`)).rejects.toThrow()
  })
})
