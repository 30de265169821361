/**
 * How long it takes to check a history without the service: an export of so many rows, written first.
 *
 *   node bench/audit-verify.ts [rows=1000000]
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { once } from 'node:events'
import { hashOfCreation, hashOfRow, verifyExport, type ExportLine } from '@orchestrator/audit'

import { withFolder } from './service-process.ts'
import { report } from './statistics.ts'

const [rows = 1_000_000] = process.argv.slice(2).map(Number)
const ROWS_PER_WORKFLOW = 5
const MADE_AT = '2026-01-31T12:00:00.000Z'

/** As a lifecycle with two phases leaves it: ids, an actor, a key, an address and a digest in each row. */
function chainText(n: number): string {
  const id = `019abcde-0000-7000-8000-${String(n).padStart(12, '0')}`
  const by = { key_id: '0123456789ab', request_id: id, address: '192.0.2.7' }
  const creation = {
    id,
    workflow_type: 'specify',
    feature_id: `${String(n).padStart(3, '0')}-add-user-authentication`,
    workspace: 'default',
    retry_of: null,
    created_by: 'Robin',
    ...by,
    created_at: MADE_AT,
  }
  let hash = hashOfCreation(creation)
  let text = ''
  for (let i = 0; i < ROWS_PER_WORKFLOW; i++) {
    const row = {
      workflow_id: id,
      sequence: n * 10 + i + 1,
      id: `${id.slice(0, -1)}${i}`,
      from_status: 'in_progress',
      to_status: 'waiting_approval',
      trigger: 'agent_complete',
      actor: 'Robin',
      ...by,
      phase: 'phase_1',
      attempt: 1,
      attempt_id: id,
      digest: hash,
      metadata: '{"approved":true}',
      words_hash: null,
      created_at: MADE_AT,
    }
    hash = hashOfRow(hash, row)
    text += line({ kind: 'row', ...row, hash, words: null })
  }
  return line({ kind: 'workflow', ...creation, history_hash: hash }) + text
}

const line = (value: ExportLine) => `${JSON.stringify(value)}\n`

await withFolder(async (folder) => {
  const path = `${folder}/export.jsonl`
  const file = createWriteStream(path)
  const write = async (text: string) => {
    if (!file.write(text)) await once(file, 'drain')
  }
  const workflows = Math.ceil(rows / ROWS_PER_WORKFLOW)
  await write(line({ kind: 'export', format: 1, made_at: MADE_AT }))
  for (let n = 0; n < workflows; n++) await write(chainText(n))
  file.end(line({ kind: 'end', workflows, rows: workflows * ROWS_PER_WORKFLOW, acts: 0 }))
  await once(file, 'close')

  const cpu = process.cpuUsage()
  const began = performance.now()
  const { fault, rows: checked } = await verifyExport(createReadStream(path, { highWaterMark: 1024 * 1024 }))
  const seconds = (performance.now() - began) / 1000
  const { user, system } = process.cpuUsage(cpu)
  if (fault !== null) throw new Error(fault.reason)
  console.log(`${checked} rows, ${((user + system) / 1e6).toFixed(1)} s of CPU`)
  process.exitCode = report('history checked', seconds, 's', { at_most: 10 }) ? 0 : 1
})
