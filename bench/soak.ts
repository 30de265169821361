/**
 * Full lifecycles at about half of what the machine can do, for long: does memory or the number of descriptors grow,
 * and does a backup taken meanwhile restore?
 *
 *   node bench/soak.ts [minutes=30]
 */
import { execFileSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

import { advanceBody, CREATE_BODY, runLifecycles } from './lifecycle.ts'
import { startService, usageOf, withFolder } from './service-process.ts'
import { report } from './statistics.ts'

const [minutes = 30] = process.argv.slice(2).map(Number)
const CLIENTS = 8
const ROOT = join(import.meta.dirname, '..')

await withFolder(async (folder) => {
  const DATABASE_URL = `sqlite:///${folder}/soak.db`
  const env = { PORT: '0', PHASE_EXECUTION: 'external', DATABASE_URL, NODE_OPTIONS: '--expose-gc', LOG_LEVEL: 'info' }
  const service = await startService('orchestrator', {
    ...env,
    NODE_OPTIONS: `--expose-gc --import=${join(import.meta.dirname, 'heap-on-signal.ts')}`,
  })
  const pid = service.child.pid ?? 0
  const { workflows_per_second: full } = await runLifecycles(service.url, { clients: 16, seconds: 10 })
  const pause_ms = (CLIENTS * 1000) / (full / 2)
  console.log(`at most ${full.toFixed(0)} workflows/s; from here on half of it for ${minutes} min`)

  const post = async (path: string, body: string) => {
    const answer = await fetch(service.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    })
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}`)
    return (await answer.json()) as { id: string }
  }
  let done = 0
  const end = performance.now() + minutes * 60_000
  const client = async () => {
    while (performance.now() < end) {
      const began = performance.now()
      const { id } = await post('/workflows', CREATE_BODY)
      for (const trigger of ['agent_complete', 'human_approved', 'agent_complete', 'human_approved'])
        await post(`/workflows/${id}/advance`, advanceBody(trigger))
      done++
      await sleep(Math.max(0, pause_ms - (performance.now() - began)))
    }
  }
  const look = async () => ({
    heap_mb: await heapOf(service.child, pid),
    descriptors: readdirSync(`/proc/${pid}/fd`).length,
  })
  const load = Promise.all(Array.from({ length: CLIENTS }, client))
  await sleep(Math.min(120_000, minutes * 15_000))
  const first = await look()
  await sleep(Math.max(0, (end - performance.now()) / 2))
  execFileSync(
    process.execPath,
    [join(ROOT, 'apps/cli/src/main.ts'), 'backup', join(folder, 'backup'), '--only', 'orchestrator'],
    {
      env: { ...process.env, DATABASE_URL },
    },
  )
  await load
  const last = await look()
  const rss = usageOf(pid).rss_mb
  await service.stop()
  const restored = `sqlite:///${folder}/restored.db`
  execFileSync(
    process.execPath,
    [join(ROOT, 'apps/cli/src/main.ts'), 'restore', join(folder, 'backup'), '--only', 'orchestrator'],
    {
      env: { ...process.env, DATABASE_URL: restored },
    },
  )
  const database = new DatabaseSync(join(folder, 'restored.db'))
  const count = Number(database.prepare('select count(*) as count from workflows').get()?.['count'])
  database.close()
  console.log(
    `${done} lifecycles, ${rss.toFixed(0)} MB RSS at the end; the backup of the middle holds ${count} workflows`,
  )
  const held = [
    report('growth of the heap after forced collection', last.heap_mb - first.heap_mb, 'MB', { at_most: 2 }),
    report('growth of descriptors', last.descriptors - first.descriptors, 'descriptors', { at_most: 0 }),
    report('workflows in the restored backup', count, 'workflows', { at_least: 1 }),
  ]
  process.exitCode = held.every(Boolean) ? 0 : 1
})

/** Collects garbage in the service and asks what is left, in MB. */
async function heapOf(child: { stderr: unknown; kill(signal: NodeJS.Signals): boolean }, pid: number): Promise<number> {
  const { readFile, rm } = await import('node:fs/promises')
  const path = `/tmp/heap-${pid}`
  await rm(path, { force: true })
  child.kill('SIGUSR2')
  for (;;) {
    const text = await readFile(path, 'utf8').catch(() => '')
    if (text !== '') return Number(text)
    await sleep(50)
  }
}
