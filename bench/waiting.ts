/**
 * What workflows that wait for a review cost: memory of the service and time of its start, with none and with many.
 *
 *   node bench/waiting.ts [workflows=1000000]
 */
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'

import { CREATE_BODY, advanceBody } from './lifecycle.ts'
import { startService, usageOf, withFolder } from './service-process.ts'
import { median, report } from './statistics.ts'

const [count = 1_000_000] = process.argv.slice(2).map(Number)
const STARTS = 3
/** By then what a start looks through beside the work is done, or goes on at its own slow pace. */
const SETTLED_MS = 20_000

await withFolder(async (folder) => {
  const env = { PORT: '0', PHASE_EXECUTION: 'external', DATABASE_URL: `sqlite:///${folder}/bench.db` }
  const post = async (url: string, body: string) => {
    const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    return (await answer.json()) as { id: string; status: string }
  }
  const service = await startService('orchestrator', env)
  const { id } = await post(`${service.url}/workflows`, CREATE_BODY)
  const { status } = await post(`${service.url}/workflows/${id}/advance`, advanceBody('agent_complete'))
  if (status !== 'waiting_approval') throw new Error(`the pattern ended as ${status}`)
  await service.stop()

  const measure = async () => {
    const starts: number[] = []
    const sizes: number[] = []
    for (let start = 0; start < STARTS; start++) {
      const one = await startService('orchestrator', env)
      starts.push(one.start_ms)
      const answer = await fetch(`${one.url}/workflows?status=waiting_approval&limit=20`)
      if (!answer.ok) throw new Error(`the list answered ${answer.status}`)
      await fetch(`${one.url}/health`)
      await sleep(SETTLED_MS)
      sizes.push(usageOf(one.child.pid ?? 0).rss_mb)
      await one.stop()
    }
    return { start_ms: median(starts), rss_mb: median(sizes) }
  }
  const empty = await measure()
  copyWorkflow(`${folder}/bench.db`, count)
  const full = await measure()
  console.log(
    `start ${empty.start_ms.toFixed(0)} → ${full.start_ms.toFixed(0)} ms, memory ${empty.rss_mb.toFixed(0)} → ${full.rss_mb.toFixed(0)} MB`,
  )
  const held = [
    report(`memory of ${count} waiting workflows`, full.rss_mb - empty.rss_mb, 'MB RSS', { at_most: 5 }),
    report('start with them', full.start_ms, 'ms', { at_most: 2_000 }),
  ]
  process.exitCode = held.every(Boolean) ? 0 : 1
})

/** As many copies of the one workflow there is, with all its rows: through the API it would take an hour. */
function copyWorkflow(path: string, copies: number): void {
  const database = new DatabaseSync(path)
  database.exec('pragma synchronous = off')
  const columns = (table: string) =>
    database
      .prepare(`pragma table_info(${table})`)
      .all()
      .map((row) => String(row['name']))
  const [{ last = 0 } = {}] = database.prepare('select max(sequence) as last from workflow_history').all()
  const copy = (table: string, changed: Record<string, string>) => {
    const names = columns(table)
    const values = names.map((name) => changed[name] ?? name).join(', ')
    database.exec(`insert into ${table} (${names.join(', ')})
      with recursive copies(n) as (select 1 union all select n + 1 from copies where n < ${copies})
      select ${values} from ${table} cross join copies where ${table}.rowid <= (select max(rowid) from ${table})`)
  }
  const id = (name: string) => `substr(${name}, 1, 24) || printf('%012x', n)`
  const feature = `printf('%07d-copy', n + 1000)`
  database.exec('begin')
  copy('features', { id: feature, sequence: 'sequence + n' })
  copy('workflows', {
    id: id('id'),
    feature_id: feature,
    attempt_id: id('attempt_id'),
    sequence: `${String(last)} + n`,
  })
  copy('attempts', { id: id('id'), workflow_id: id('workflow_id'), position: 'position + n' })
  database.exec('commit')
  database.close()
}
