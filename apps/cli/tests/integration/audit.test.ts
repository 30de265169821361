import { readFile, writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import type { AuditReport } from '@orchestrator/audit'
import { createClient } from '@orchestrator/client'
import { afterAll, beforeAll, expect, it } from 'vitest'

import { startCli } from './cli-process.ts'
import { root, startOrchestrator, type OrchestratorProcess } from './orchestrator-process.ts'

let service: OrchestratorProcess
let ids: string[]

beforeAll(async () => {
  service = await startOrchestrator({}, ['"url"'])
  const client = createClient({ base_url: service.url })
  ids = []
  for (const n of [1, 2, 3]) {
    const { id } = await client.createWorkflow({ workflow_type: 'specify', feature_description: `Feature number ${n}` })
    await client.advanceWorkflow(id, { trigger: 'agent_complete', phase_result: { output: 'x' } })
    await client.advanceWorkflow(id, { trigger: 'human_rejected', phase_result: { comments: 'Again, please.' } })
    ids.push(id)
  }
})
afterAll(() => service.remove())

async function audit(...words: string[]) {
  const cli = startCli(root, ['audit', ...words], { ORCHESTRATOR_URL: service.url })
  const exit_code = await cli.exited
  return { exit_code, text: cli.lines.join('\n'), errors: cli.errors.join('\n') }
}

it('exports the history, checks it without the service, and names the first row that is not as it was written', async () => {
  const file = `${service.folder}/export.jsonl`
  expect((await audit('export', '--output', file)).exit_code).toBe(0)
  const printed = await audit('export')
  expect(printed.text.split('\n').slice(1)).toEqual((await readFile(file, 'utf8')).trim().split('\n').slice(1))
  expect(await audit('verify')).toMatchObject({ exit_code: 0 })

  // Ends the service, which signs what is new.
  await service.stop()
  const folder = `${service.folder}/orchestrator.db.audit`
  const signed = ['--checkpoints', `${folder}/checkpoints.jsonl`, '--public-key', `${folder}/public-key.pem`]
  const whole = await audit('verify', file)
  expect([whole.exit_code, whole.text]).toEqual([0, expect.stringContaining('All 9 rows of 3 workflows')])
  expect(whole.text).toContain('against no checkpoints')
  expect(await audit('verify', file, ...signed)).toMatchObject({ exit_code: 0 })

  const lines = (await readFile(file, 'utf8')).split('\n')
  const index = lines.findIndex((line) => line.includes('human_rejected'))
  const { workflow_id, sequence } = JSON.parse(lines[index] ?? '') as { workflow_id: string; sequence: number }
  await writeFile(file, lines.with(index, lines[index]!.replace('"actor":"local"', '"actor":"Robin"')).join('\n'))
  const changed = await audit('verify', file, '--json')
  expect(changed.exit_code).toBe(1)
  const { fault } = JSON.parse(changed.text) as AuditReport
  expect(fault).toMatchObject({ line: index + 1, workflow_id, sequence })
  expect((await audit('verify', file)).text).toContain(`workflow ${workflow_id}, sequence ${sequence}`)
  expect(ids).toContain(workflow_id)
})

it('signs what is new when it ends, and the database refuses what would change it', async () => {
  const lines = (await readFile(`${service.folder}/orchestrator.db.audit/checkpoints.jsonl`, 'utf8')).trim().split('\n')
  const heads = lines.flatMap((line) => (JSON.parse(line) as { heads: [string][] }).heads)
  expect(new Set(heads.map(([id]) => id))).toEqual(new Set(ids))
  const database = new DatabaseSync(`${service.folder}/orchestrator.db`)
  expect(() => database.exec('delete from workflow_history')).toThrow('the history is only ever added to')
  database.close()
})

it.each([
  [['verify', '/no/such/export'], 1, 'no such file'],
  [['verify', 'x', '--checkpoints', 'y'], 2, '--checkpoints and --public-key belong together'],
])('says what is wrong: %j', async (words, exit_code, error) => {
  const answer = await audit(...words)
  expect(answer.exit_code).toBe(exit_code)
  expect(answer.errors).toContain(error)
})
