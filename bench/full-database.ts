/**
 * Lifecycles over HTTP on a database with many workflows beside those on an empty one, in turn.
 *
 *   node bench/full-database.ts [workflows=1000000] [rounds=7] [seconds=3]
 */
import { advanceBody, CREATE_BODY, runLifecycles } from './lifecycle.ts'
import { copyWorkflow } from './many-workflows.ts'
import { KeepAliveClient } from './keep-alive-client.ts'
import { startService, withFolder } from './service-process.ts'
import { median, report } from './statistics.ts'

const [count = 1_000_000, rounds = 7, seconds = 3] = process.argv.slice(2).map(Number)
const CLIENTS = 16

await withFolder(async (folder) => {
  const start = (name: string) =>
    startService('orchestrator', {
      PORT: '0',
      PHASE_EXECUTION: 'external',
      DATABASE_URL: `sqlite:///${folder}/${name}.db`,
    })
  const pattern = await start('full')
  const client = await KeepAliveClient.open(pattern.url)
  const { id } = JSON.parse((await client.post('/workflows', CREATE_BODY)).body) as { id: string }
  await client.post(`/workflows/${id}/advance`, advanceBody('agent_complete'))
  client.close()
  await pattern.stop()
  copyWorkflow(`${folder}/full.db`, count)

  const full = await start('full')
  const empty = await start('empty')
  for (const { url } of [full, empty]) await runLifecycles(url, { clients: CLIENTS, seconds })
  const ratios: number[] = []
  for (let round = 1; round <= rounds; round++) {
    const on_empty = await runLifecycles(empty.url, { clients: CLIENTS, seconds })
    const on_full = await runLifecycles(full.url, { clients: CLIENTS, seconds })
    ratios.push(on_full.workflows_per_second / on_empty.workflows_per_second)
    console.log(
      `round ${round}: empty ${on_empty.workflows_per_second.toFixed(0)}/s, ` +
        `with ${count} workflows ${on_full.workflows_per_second.toFixed(0)}/s`,
    )
  }
  await Promise.all([full.stop(), empty.stop()])
  process.exitCode = report(`with ${count} workflows, of an empty database`, median(ratios), 'times', {
    at_least: 0.8,
  })
    ? 0
    : 1
})
